// An unknown caller by keyboard alone: the agent finds his file, the call is his, identity comes after. The demo of this part dials
// nobody: everybody calls (`demo --mode manual --callers N`).
import { axe } from './a11y.mjs';
import { LONG_MS, check, open, people, program, shot, signIn, signOut, until } from './rig.mjs';

/** How long somebody from a number of nobody is waited for, ms: one in five is, and agents share them. */
const SHIFT_MS = 240_000;
const THIRD_PARTY = '6';

const stateOf = (page) => page.locator('.bar [data-state]').first().getAttribute('data-state');
const toState = (page, wanted, ms = LONG_MS) => until(`state ${wanted}`, async () => wanted.includes(await stateOf(page)), ms);
const unknown = (page) => page.locator('[data-unknown-caller]');

async function giveBack(page) {
  for (const key of ['Escape', THIRD_PARTY, 'Enter', 'F9']) {
    if (['talking', 'hold', 'wrapup'].includes(await stateOf(page))) await page.keyboard.press(key);
    await page.waitForTimeout(150);
  }
}

/** Finds him by what he says of himself. */
async function found(page, who) {
  await page.keyboard.press('f');
  check('F goes to the question', (await page.evaluate(() => document.activeElement?.getAttribute('name'))) === 'caller_q');
  await page.keyboard.type(who.external_ref);
  await page.keyboard.press('Enter');
  await unknown(page).locator('ul button').first().waitFor({ timeout: 5_000 });
  await shot(page, 'caller-found');
  await axe(page, 'an unknown caller');
  // The first of what was found has the focus.
  await page.keyboard.press('Enter');
  await until('his card', async () => (await page.locator('#debtor-name').innerText()).trim() === who.name, 5_000);
  check('identity comes before his data', (await page.locator('section[aria-labelledby=debtor-name] .veil').count()) > 0);
  await shot(page, 'caller-attached');
}

export async function callers() {
  const browser = await open();
  const { page, errors } = browser;
  const office = await program(people.manager());
  const who = (await office.get('/debtors?limit=500')).items.find((d) => !d.external_ref.startsWith('caller:') && d.phones.length > 0);
  try {
    await signIn(page, people.agent());
    await toState(page, ['paused'], 15_000);
    await until('the phone leg', async () => (await page.locator('.links .chip.ready').count()) >= 2, 30_000);
    await page.keyboard.press('d');
    let done = false;
    let last = '';
    for (const end = Date.now() + SHIFT_MS; !done && Date.now() < end; ) {
      await toState(page, ['talking', 'wrapup']);
      if ((await unknown(page).count()) > 0) done = await found(page, who).then(() => true, (e) => ((last = e.message), false));
      if (!done) await giveBack(page);
    }
    check('an unknown caller is found and the call is his', done, last);
    const rows = (await office.get('/inbound-calls?limit=500')).items;
    check('his call stands in his file', rows.some((r) => r.debtor_id === who.id && r.outcome === 'answered'));
    await giveBack(page);
    await signOut(page);
    await signIn(page, people.supervisor());
    await page.locator('[data-queue]').first().waitFor({ timeout: LONG_MS });
    check('the queue moves', /atendidas/.test(await page.locator('[data-queue]').first().innerText()));
    await shot(page, 'caller-queue');
    await signOut(page);
    check('no script failed with callers', errors.length === 0, errors.join(' | '));
  } catch (error) {
    await shot(page, 'callers-failed');
    throw error;
  } finally {
    await browser.close();
  }
}
