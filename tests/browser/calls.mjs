// Calls seen from above and handed on: the agent's transfer dialog by keyboard, the supervisor's buttons and trunk figures, a call's page with ladder and table; each looked at with axe.
import { axe } from './a11y.mjs';
import { LONG_MS, base, check, open, people, program, shot, signIn, until } from './rig.mjs';

const stateOf = (page) => page.locator('.bar [data-state]').first().getAttribute('data-state');

/** One number of each country of the demo's portfolio (a call may only be handed on inside its debtor's). The demo's carrier answers them or not: what counts is that the debtor comes back or is handed on. */
const NUMBERS = { MX: '5555550001', CO: '3001234567', CL: '961234567', PE: '912345678', ES: '612345678' };

async function talking(page) {
  await page.keyboard.press('d');
  for (const end = Date.now() + 2 * LONG_MS; Date.now() < end; ) {
    const state = await stateOf(page);
    if (state === 'talking') return;
    if (state === 'preview') await page.keyboard.press('m');
    if (state === 'wrapup') for (const key of ['6', 'Enter']) await page.keyboard.press(key);
    await page.waitForTimeout(150);
  }
  throw new Error('never talking');
}

/** One call handed to a number: false when its debtor hung up before it was, then the next call is taken. */
async function hand(page, looked) {
  const soon = { timeout: 3_000 };
  await page.keyboard.press('F7');
  const dialog = page.locator('dialog[open]');
  if (!(await dialog.waitFor(soon).then(() => true, () => false))) return false;
  const gone = async () => (await dialog.count()) === 0;
  // Looking takes longer than many calls last: the first call is looked at, a later one handed on.
  if (!looked.done) {
    looked.done = true;
    await axe(page, 'transfer dialog');
  }
  try {
    await dialog.locator('input[name=kind][value=number]').focus(soon);
    await page.keyboard.press('Space');
    const country = (await page.locator('.chip', { hasText: /^[A-Z]{2} · [A-Z]{2}$/ }).first().innerText(soon)).slice(0, 2);
    await dialog.locator('input[type=tel]').fill(NUMBERS[country], soon);
    await shot(page, 'agent-transfer');
    await page.keyboard.press('Enter');
  } catch (error) {
    if (await gone()) return false;
    throw error;
  }
  const handed = await page.locator('.band.blue').waitFor({ timeout: 5_000 }).then(() => true, () => false);
  if (!handed) await page.keyboard.press('Escape');
  return handed;
}

async function handing() {
  const browser = await open();
  const { page } = browser;
  try {
    await signIn(page, people.agent());
    await until('the phone leg', async () => (await page.locator('.links .chip.ready').count()) >= 2, 30_000);
    const looked = { done: false };
    let done = false;
    for (let n = 0; n < 8 && !done; n += 1) {
      await talking(page);
      done = await hand(page, looked);
    }
    check('the band says whom the call goes to', done);
    await shot(page, 'agent-transfer-band');
    await page.keyboard.press('v');
    await until('the debtor is back, or gone', async () => (await page.locator('.band.blue').count()) === 0, 40_000);
    check('V takes the call back', true);
    check('no errors on the page', browser.errors.length === 0, browser.errors.join('; '));
  } catch (error) {
    await shot(page, 'calls-agent-failed');
    throw error;
  } finally {
    await browser.close();
  }
}

async function watching() {
  const browser = await open();
  const { page } = browser;
  try {
    await signIn(page, people.supervisor());
    await page.locator('[data-agent]').first().waitFor();
    await page.locator('section[aria-labelledby=trunks-title] tbody button').first().click();
    await page.locator('#trunk-stats').waitFor();
    await until('figures', async () => (await page.locator('.stats .sums').count()) > 0);
    await shot(page, 'supervisor-trunk');
    await axe(page, 'trunk figures');
    await page.locator('.stats button', { hasText: /Ver tabla|table/i }).click();
    await until('the table twin', async () => (await page.locator('[aria-labelledby=trunk-stats] tbody tr').count()) === 12);
    check('the figures have their table', true);
    // A problem has a row of its own: the first column stays narrow.
    const wide = await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth);
    check('the board fits 1366 px', wide);
    // Listening needs somebody who talks; without a phone of his own the supervisor is told so.
    await page.keyboard.press('j');
    await page.locator('aside').waitFor();
    await until('somebody talks', async () => (await page.locator('aside button:has-text("L")').first().isEnabled()) || (await page.keyboard.press('j'), false), LONG_MS);
    await page.keyboard.press('l');
    await page.locator('aside .note').first().waitFor({ timeout: 5_000 });
    check('listening is answered', (await page.locator('aside .note').first().innerText()).trim().length > 5);
    await axe(page, 'agent panel');
    check('no errors on the page', browser.errors.length === 0, browser.errors.join('; '));
  } catch (error) {
    await shot(page, 'calls-board-failed');
    throw error;
  } finally {
    await browser.close();
  }
}

async function page_of_a_call() {
  const browser = await open();
  const { page } = browser;
  const office = await program(people.manager());
  try {
    await signIn(page, people.manager());
    let attempt = null;
    await until('a call with its trail', async () => {
      const { items } = await office.get('/attempts?limit=100');
      for (const a of items.filter((x) => x.answered_at && x.ended_at)) {
        const trail = await office.get(`/attempts/${a.id}/trail`);
        if (trail.kept && trail.legs.length > 1) attempt = a.id;
      }
      return attempt !== null;
    }, LONG_MS);
    await page.goto(`${base}/campanas/gestiones/${attempt}`);
    await page.locator('#ladder-title').waitFor();
    const arrows = await page.locator('svg[role=img] g').count();
    check('the ladder is drawn', arrows >= 4, arrows);
    await shot(page, 'call-page');
    await axe(page, 'call page');
    await page.locator('section[aria-labelledby=ladder-title] button').click();
    const rows = page.locator('[aria-labelledby=ladder-title] tbody tr');
    await until('the ladder as a table', async () => (await rows.count()) === arrows);
    const text = await page.locator('[aria-labelledby=ladder-title] table').innerText();
    check('INVITE and BYE are there, numbers are not', /INVITE/.test(text) && /BYE/.test(text) && !/\d{8,}/.test(text), text);
    check('quality has a row a leg', (await page.locator('[aria-labelledby=sound-title] tbody tr').count()) >= 2);
    check('no errors on the page', browser.errors.length === 0, browser.errors.join('; '));
  } catch (error) {
    await shot(page, 'call-page-failed');
    throw error;
  } finally {
    await browser.close();
  }
}

export async function calls() {
  await watching();
  await handing();
  await page_of_a_call();
}
