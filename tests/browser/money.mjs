// Money: a bank's file looked at and taken in, money without an owner matched by a suggestion, a payment taken back, a link whose page
// shows nothing before identity, rules and the creditor's own data, what debtors say they paid.
import { axe } from './a11y.mjs';
import { LONG_MS, base, check, open, people, program, shot, signIn, signOut, until } from './rig.mjs';

/** Unique per run, so that a walk may be repeated on one demo. */
const STAMP = Date.now().toString(36);
const section = (page, name) => page.locator('nav.tabs').getByRole('link', { name }).click();
const closed = (page) => page.locator('dialog').waitFor({ state: 'detached' });
const money = (minor) => (minor / 100).toFixed(2);

/** A debtor of the client that the screens show, who owes pesos. */
async function owing(office, client) {
  const { items } = await office.get(`/debts?client=${client}&limit=200`);
  const debt = items.find((d) => d.status === 'open' && d.currency === 'MXN' && d.principal_minor > 50_000);
  return { debt, file: await office.get(`/debtors/${debt.debtor_id}`) };
}
const balance = async (office, id) => {
  const debt = await office.get(`/debts/${id}`);
  return debt.principal_minor + debt.interest_minor + debt.fees_minor;
};

async function bankFile(page, office, { debt }) {
  await section(page, 'Archivos del banco');
  const csv = `Fecha;Concepto;Referencia;Abono\n23/11/2026;Pago ${debt.external_ref};A${STAMP};123,45\n23/11/2026;sin nombre;B${STAMP};77,11\n23/11/2026;roto;C${STAMP};x\n`;
  const file = { name: `banco-${STAMP}.csv`, mimeType: 'text/csv', buffer: Buffer.from(csv) };
  const before = await balance(office, debt.id);
  await page.locator('[type=file]').setInputFiles(file);
  await page.locator('[data-preview]').waitFor();
  const becomes = await page.locator('tr[data-becomes]').evaluateAll((rows) => rows.map((r) => r.dataset.becomes));
  check('the preview says what becomes of each row, what is wrong first', becomes.join() === 'refused,match,unmatched', becomes.join());
  check('nothing is kept before it is accepted', (await balance(office, debt.id)) === before);
  await shot(page, 'money-file');
  await axe(page, 'a bank file');
  await page.getByRole('button', { name: 'Aceptar el archivo' }).click();
  await page.locator('[data-file-done]').waitFor({ timeout: 60_000 });
  check('the row that names its debt has paid it', (await balance(office, debt.id)) === before - 12_345);
  await page.locator('[type=file]').setInputFiles(file);
  await page.locator('tr[data-becomes=repeated]').first().waitFor();
  check('the same file counts nothing twice', (await page.locator('tr[data-becomes=repeated]').count()) === 2);
}

async function queue(page, office, { debt, file }) {
  await section(page, 'Por aplicar');
  const row = page.locator(`[data-receipt^="B${STAMP} "]`);
  await row.waitFor();
  await shot(page, 'money-queue');
  await axe(page, 'the queue of money');
  await row.getByRole('button').click();
  const dialog = page.locator('dialog');
  await dialog.locator('[type=search]').fill(file.debtor.external_ref);
  await dialog.getByRole('button', { name: 'Buscar' }).click();
  const his = dialog.getByRole('button', { name: new RegExp(`Es de él ${file.debtor.name}`) }).last();
  await his.waitFor();
  await axe(page, 'whose money it is');
  await his.click();
  await closed(page);
  await until('it is matched', async () => (await office.all('/receipts?state=posted')).some((r) => r.reference.startsWith(`B${STAMP} `)));
  await row.waitFor({ state: 'detached' });
  check('matched money leaves the queue', true);
}

async function reversal(page, office, { debt }) {
  await section(page, 'Pagos');
  const row = page.locator('tr[data-payment]').filter({ hasText: `A${STAMP}` });
  await row.waitFor();
  const before = await balance(office, debt.id);
  await row.getByRole('button', { name: /Revertir/ }).click();
  await page.locator('dialog [name=reason]').fill('contracargo');
  await axe(page, 'taking a payment back');
  await page.locator('dialog [type=submit]').click();
  await closed(page);
  await page.locator('tr[data-payment]').filter({ hasText: `A${STAMP} R-` }).waitFor();
  check('a payment taken back is owed again', (await balance(office, debt.id)) === before + 12_345);
  await shot(page, 'money-payments');
  await axe(page, 'payments');
}

/** Somebody has said by now that he has paid: it is looked for, and is not there. */
async function claims(page, office, client) {
  const open = () => office.get(`/claims?client=${client}&state=open&limit=1`);
  const [{ claim, external_ref }] = await until('somebody says that he has paid', async () => ((found) => found.length && found)((await open()).items), LONG_MS);
  await section(page, 'Dicen que pagaron');
  const row = page.locator(`[data-claim="${claim.id}"]`);
  await row.waitFor();
  check('who verifies sees whom it is about', (await row.innerText()).includes(external_ref));
  await axe(page, 'what debtors say they paid');
  await row.getByRole('button').click();
  await page.locator('dialog [name=reason]').fill('no está en el banco');
  await axe(page, 'a claim that is looked for');
  await shot(page, 'money-claim');
  await page.locator('dialog [type=submit]').click();
  await closed(page);
  await row.waitFor({ state: 'detached' });
  const file = await office.get(`/debtors/${claim.debtor_id}`);
  const stored = file.claims.find((c) => c.id === claim.id);
  check('a payment that is not there is closed with its reason', stored.state === 'not_found' && stored.reason === 'no está en el banco', JSON.stringify(stored));
  await page.goto(`${base}/campanas/deudores/${claim.debtor_id}`);
  await page.locator('[data-claim=not_found]').first().waitFor();
  check('his file says so', true);
  await page.goto(`${base}/dinero`);
  await page.locator('nav.tabs').waitFor();
}

async function policy(page) {
  await section(page, 'Reglas de aplicación');
  await page.locator('[name=creditor_data]').fill(`Banco de prueba\nReferencia ${STAMP}`);
  await page.locator('[name=parts]').selectOption('interest_first');
  await axe(page, 'rules of money');
  await page.locator('[type=submit]').click();
  await page.locator('.toasts .note.good').first().waitFor();
  check('the rules are kept', true);
}

async function link(page, office, { debt, file }) {
  const made = await office.post('/payment-links', { debt_id: debt.id, amount: { amount_minor: 10_000, currency: debt.currency } });
  const address = base + new URL(made.url).pathname;
  await page.goto(address);
  await page.locator('#proof').waitFor();
  const before = await page.locator('main').innerText();
  check('the page tells nothing before identity', !before.includes(money(10_000)) && !before.includes(debt.external_ref), before);
  await axe(page, 'a payment page that asks');
  await page.locator('#proof').fill('????');
  await page.locator('button').click();
  await page.locator('[role=alert]').waitFor();
  const document = file.debtor.document.replace(/[^\p{L}\p{N}]/gu, '').toUpperCase();
  await page.locator('#proof').fill(document.slice(-4));
  await page.locator('button').click();
  await page.locator('dl').waitFor();
  const shown = await page.locator('main').innerText();
  check('then what is to be paid, and to whom', shown.includes('100.00') && shown.includes(debt.external_ref), shown);
  // Where no money may be taken for the creditor (a Mexican debtor), and as everywhere without a provider.
  check('the creditor is paid himself', shown.includes(`Referencia ${STAMP}`), shown);
  check('no script runs on it', (await page.locator('script').count()) === 0);
  await shot(page, 'money-page');
  await axe(page, 'a payment page');
  await page.goto(`${base}/dinero/ligas`);
  const row = page.locator(`[data-link="${made.link.id}"]`);
  await row.waitFor();
  check('the link is opened', (await row.getAttribute('data-state')) === 'opened');
  await axe(page, 'payment links');
  await row.getByRole('button', { name: 'Cancelar' }).click();
  await page.locator(`[data-link="${made.link.id}"][data-state=cancelled]`).waitFor();
  await page.locator('[name=state]').selectOption('cancelled');
  await page.locator(`[data-link="${made.link.id}"]`).waitFor();
  check('links are found by what became of them', (await page.locator('[data-link]:not([data-state=cancelled])').count()) === 0);
  const shut = await office.post('/payment-links', { debt_id: debt.id, amount: { amount_minor: 10_000, currency: debt.currency } });
  const guessed = base + new URL(shut.url).pathname;
  for (let n = 0; n < 5; n++) await page.request.post(guessed, { form: { proof: '????' }, headers: { origin: base } });
  await page.locator('[name=state]').selectOption('locked');
  const locked = page.locator(`[data-link="${shut.link.id}"][data-state=locked]`);
  await locked.waitFor();
  check('a link that nobody may open any more is not given on', (await locked.getByRole('button').allInnerTexts()).join() === 'Cancelar');
  await shot(page, 'money-links');
  await page.goto(address);
  await page.locator('[role=alert]').waitFor();
  check('a withdrawn link opens nothing', (await page.locator('#proof').count()) === 0);
}

export async function cash() {
  const browser = await open();
  const { page, errors } = browser;
  try {
    const office = await program(people.manager());
    await signIn(page, people.manager());
    await page.goto(`${base}/dinero`);
    await page.locator('nav.tabs').waitFor();
    const client = await page.locator('header select').first().inputValue();
    const who = await owing(office, client);
    await bankFile(page, office, who);
    await queue(page, office, who);
    await reversal(page, office, who);
    await claims(page, office, client);
    await policy(page);
    await link(page, office, who);
    await page.goto(`${base}/dinero`);
    await signOut(page);
    check('no script failed with money', errors.length === 0, errors.join(' | '));
  } catch (error) {
    await shot(page, 'money-failed');
    throw error;
  } finally {
    await browser.close();
  }
}
