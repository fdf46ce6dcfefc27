// A payment link paid while they talk: the agent makes it, the debtor opens it on his telephone, proves who he is and pays at the
// provider's page (the demo's own, marked as a test); the card shows the money before they hang up.
import { axe } from './a11y.mjs';
import { base, check, open, shot, until } from './rig.mjs';

/** Money is on the card in less than that after it was taken in, ms. */
const SEEN_MS = 1_000;

/** What is paid, in units of the debt's currency: no debt of the demo is smaller. */
const UNITS = '50';

/** How long a page of the debtor is waited for, ms: who talks may hang up meanwhile. */
const PAGE_MS = 8_000;

const card = (page) => page.locator('section[aria-labelledby=debtor-name]');

/** Cards of debtors whose law forbids us to take money: how many told the creditor's own data, and what another showed. */
const forbidden = { told: 0, wrong: '' };

/** What the card says of paying: whether links may be made. Where no money may be taken it tells how the creditor himself is paid. */
export async function howToPay(page) {
  const box = page.locator('[data-pay]');
  await box.waitFor({ timeout: 4_000 });
  if ((await box.getAttribute('data-pay')) === 'true') return true;
  const text = await box.innerText({ timeout: 1_000 });
  if (/CLABE \d{18}/.test(text) && (await box.locator('form').count()) === 0) forbidden.told += 1;
  else forbidden.wrong = text;
  if (forbidden.told === 1) await shot(page, 'paid-creditor');
  return false;
}

/** The agent makes a link; throws when this debtor's creditor may not be paid through us, or when he went before. */
async function made(page, office) {
  await page.keyboard.press('s');
  const box = page.locator('[data-pay]');
  if (!(await howToPay(page))) throw new Error('no money may be taken here');
  await box.locator('[name=amount]').fill(UNITS);
  await box.locator('[type=submit]').click();
  const url = await box.locator('[data-url]').innerText({ timeout: 4_000 });
  // Messages make links too, whose ids are in no order.
  const own = (await office.all('/payment-links')).filter((l) => l.made_by.startsWith('agent:') && l.state === 'created');
  const link = own.sort((a, b) => b.created_at.localeCompare(a.created_at))[0];
  const { debtor } = await office.get(`/debtors/${link.debtor_id}`);
  return { url, link, proof: debtor.document.replace(/[^\p{L}\p{N}]/gu, '').slice(-4) };
}

/** The debtor's telephone, from the address to the provider's button. */
async function atTheProvider(phone, { url, proof }) {
  // A development server of the screens has no such page: it is asked of the server itself.
  await phone.goto((process.env.HOSTED_URL ?? base) + new URL(url).pathname);
  await phone.locator('#proof').fill(proof);
  await phone.locator('button[type=submit]').click();
  await phone.locator('form[action$="/pay"] button').click();
  await phone.locator('form[action$="/pagar"] button').waitFor();
}

/** One call; throws when it ended too early. */
async function once(page, phone, office) {
  const link = await made(page, office);
  await atTheProvider(phone, link);
  const before = await card(page).innerText();
  await phone.locator('form[action$="/pagar"] button').click();
  await until('the link is paid on the card', async () => (await page.locator('[data-link-state=paid]').count()) > 0, 10_000);
  const seen = Date.now();
  check('the card shows the money while they talk', (await card(page).innerText()) !== before);
  // The demo's clock is not the wall's.
  const { paid_at } = (await office.get(`/payment-links/${link.link.id}`)).link;
  const took = seen + (Date.parse((await office.get('/clock')).now) - Date.now()) - Date.parse(paid_at);
  check('the card shows it in under a second', took < SEEN_MS, `${took} ms`);
  console.log(`   seen on the card ${took} ms after it was taken in`);
  await shot(page, 'paid-card');
  await phone.getByText(/ya se recibió|was received/).waitFor();
  check('the debtor comes back to a page that thanks him', true);
  const now = await office.get(`/payment-links/${link.link.id}`);
  check('the link is paid', now.link.state === 'paid', now.link.state);
  const receipts = await office.all(`/receipts?debtor=${link.link.debtor_id}`);
  const own = receipts.filter((r) => r.source === 'provider' && r.amount_minor === link.link.amount_minor);
  check('the money came in once and is on the debt', own.length === 1 && own[0].left_minor === 0, JSON.stringify(own));
}

/** What the provider's page looks like, for a link that nobody waits for. */
async function looks(phone, office) {
  const debt = (await office.all('/debts')).find((d) => d.status === 'open' && d.currency === 'CLP');
  if (!debt) return;
  const { url } = await office.post('/payment-links', { debt_id: debt.id, amount: { amount_minor: 50, currency: debt.currency } });
  const { debtor } = await office.get(`/debtors/${debt.debtor_id}`);
  await atTheProvider(phone, { url, proof: debtor.document.replace(/[^\p{L}\p{N}]/gu, '').slice(-4) });
  const text = await phone.locator('body').innerText();
  check('the provider of the demo says that it is a test, and asks for no card', /PRUEBA/.test(text) && (await phone.locator('input').count()) === 0, text);
  await axe(phone, 'the page of the demo’s provider');
  await shot(phone, 'paid-provider');
}

/** Calls until one is of a debtor whose law forbids us to take money; most often there was one before. */
async function toTheCreditor(page, { next, giveBack, end }) {
  while (!forbidden.told && !forbidden.wrong && Date.now() < end) {
    await giveBack();
    await next();
    await page.keyboard.press('s');
    await howToPay(page).catch(() => false);
  }
  check('where we may take no money the card tells how the creditor is paid, and makes no link', forbidden.told > 0 && !forbidden.wrong, forbidden.wrong);
}

/** Calls until one is paid in; `shift` waits for the next and gives it back. */
export async function paid(page, office, { next, giveBack, limitMs }) {
  const telephone = await open({ width: 390, height: 844 });
  telephone.page.setDefaultTimeout(PAGE_MS);
  let last = '';
  try {
    await looks(telephone.page, office);
    for (const end = Date.now() + limitMs; Date.now() < end; ) {
      await next();
      const done = await once(page, telephone.page, office).then(() => true, (e) => ((last = e.message), false));
      if (done) {
        check('no errors on the pages of the debtor', telephone.errors.length === 0, telephone.errors.join('; '));
        await toTheCreditor(page, { next, giveBack, end });
        return;
      }
      console.log(`   not this call: ${last.split('\n')[0]}`);
      await giveBack();
    }
    throw new Error(`no link was paid while they talked: ${last}`);
  } finally {
    await telephone.close();
  }
}
