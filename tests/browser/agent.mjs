// A gestora's shift by keyboard alone: ready, card, identity, promise, pause, reload, out.
import { paid } from './paid.mjs';
import { LONG_MS, check, open, people, program, shot, signIn, signOut, until } from './rig.mjs';

/** How long persons who stay for a promise are waited for, ms. */
const SHIFT_MS = 240_000;
/** Key of a result that needs nothing else: message with a third party. */
const THIRD_PARTY = '6';

const stateOf = (page) => page.locator('.bar [data-state]').first().getAttribute('data-state');
const toState = (page, wanted, ms = LONG_MS) => until(`state ${wanted}`, async () => wanted.includes(await stateOf(page)), ms);
const veils = (page) => page.locator('section[aria-labelledby=debtor-name] .veil').count();

async function firstLook(page) {
  await page.locator('#debtor-name').waitFor({ timeout: LONG_MS });
  check('amounts are withheld before identity', (await veils(page)) > 0);
  check('the debtor has a name', (await page.locator('#debtor-name').innerText()).trim().length > 2);
  check('the script is there', (await page.locator('section').filter({ hasText: /Identificación|Identification/ }).count()) > 0);
  await shot(page, 'agent-card-gated');
}

/** `S`, then `1 Enter Enter` saves the default promise (screens.md: at most three keystrokes). */
async function promise(page) {
  await page.keyboard.press('s');
  await until('amounts after identity', async () => (await veils(page)) === 0, 4_000);
  await page.locator('[data-pay]').waitFor({ timeout: 4_000 });
  await shot(page, 'agent-card');
  await page.keyboard.press('1');
  await page.locator('.form .read').waitFor({ timeout: 3_000 });
  await shot(page, 'agent-promise');
  await page.keyboard.press('Enter');
  await page.keyboard.press('Enter');
  await page.locator('.toasts .note.good').first().waitFor({ timeout: 4_000 });
}

/** Waits for a call; `false` when it has to be waited for again. */
async function next(page) {
  await toState(page, ['talking', 'wrapup', 'preview']);
  // Near the abandonment cap the guard lowers the mode to preview: the agent dials.
  if ((await stateOf(page)) !== 'preview') return true;
  await page.keyboard.press('m');
  await until('the call of the preview', async () => (await stateOf(page)) !== 'preview', 5_000).catch(() => false);
  return false;
}

/** Ends what is open with the simplest result; the debtor may have gone in the middle of anything. */
async function giveBack(page) {
  for (const key of ['Escape', THIRD_PARTY, 'Enter', 'F9']) {
    if (['talking', 'hold', 'wrapup'].includes(await stateOf(page))) await page.keyboard.press(key);
    await page.waitForTimeout(150);
  }
}

export async function agent() {
  const browser = await open();
  const { page } = browser;
  const office = await program(people.manager());
  const before = (await office.all('/promises')).length;
  try {
    await signIn(page, people.agent());
    await toState(page, ['paused'], 15_000);
    check('signs in paused, never straight into calls', true);
    await until('the phone leg', async () => (await page.locator('.links .chip.ready').count()) >= 2, 30_000);
    await page.keyboard.press('d');
    await toState(page, ['ready', 'reserved', 'talking', 'preview'], 15_000);
    await firstLook(page);
    let saved = false;
    let last = '';
    for (const end = Date.now() + SHIFT_MS; !saved && Date.now() < end; ) {
      if (!(await next(page))) continue;
      saved = await promise(page).then(() => true, (e) => ((last = e.message), false));
      if (!saved) await giveBack(page);
    }
    check('a promise is saved with 1 Enter Enter', saved, last);
    if ((await stateOf(page)) === 'talking') await page.keyboard.press('F9');
    await toState(page, ['ready', 'reserved', 'talking', 'preview'], 60_000);
    check('after the result the next call may come', true);
    check('the promise is stored', (await office.all('/promises')).length > before);
    const talking = async () => {
      while (!((await next(page)) && (await stateOf(page)) === 'talking')) await giveBack(page);
    };
    await paid(page, office, { next: talking, giveBack: () => giveBack(page), limitMs: 2 * SHIFT_MS });
    await giveBack(page);
    await page.keyboard.press('F2');
    await page.keyboard.press('1');
    await until('a pause, now or after this call', async () => (await stateOf(page)) === 'paused' || (await page.locator('.bar .chip.pause').count()) > 0);
    await until('the pause after this call', async () => {
      if ((await stateOf(page)) === 'paused') return true;
      await giveBack(page);
      return false;
    }, 90_000);
    check('F2 1 pauses with its reason', true);
    await page.reload();
    await toState(page, ['paused'], 15_000);
    check('a reload loses nothing', true);
    await signOut(page);
    check('no errors on the page', browser.errors.length === 0, browser.errors.join('; '));
  } catch (error) {
    await shot(page, 'agent-failed');
    throw error;
  } finally {
    await browser.close();
  }
}
