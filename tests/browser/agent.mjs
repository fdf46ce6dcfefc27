// A gestora's shift by keyboard alone: ready, card, identity, promise, pause, reload, out.
import { LONG_MS, check, open, people, program, shot, signIn, signOut, until } from './rig.mjs';

/** Cards tried until one is a person who stays for the promise. */
const CARDS = 8;
/** Key of a result that needs nothing else: message with a third party. */
const THIRD_PARTY = '6';

const stateOf = (page) => page.locator('.bar [data-state]').first().getAttribute('data-state');
const toState = (page, wanted, ms = LONG_MS) => until(`state ${wanted}`, async () => wanted.includes(await stateOf(page)), ms);
const veils = (page) => page.locator('section[aria-labelledby=debtor-name] .veil').count();

async function oneCard(page, first) {
  await page.locator('#debtor-name').waitFor({ timeout: LONG_MS });
  if (first) {
    check('amounts are withheld before identity', (await veils(page)) > 0);
    check('the debtor has a name', (await page.locator('#debtor-name').innerText()).trim().length > 2);
    check('the script is there', (await page.locator('main').innerText()).length > 200);
    await shot(page, 'agent-card-gated');
  }
  await page.keyboard.press('s');
  const known = await until('amounts after identity', async () => (await veils(page)) === 0, 5_000).catch(() => false);
  if (known && first) await shot(page, 'agent-card');
  return known;
}

/** `1 Enter Enter` saves the default promise (screens.md: at most three keystrokes). */
async function promise(page) {
  await page.keyboard.press('1');
  await page.locator('form[aria-label]').first().waitFor({ timeout: 3_000 });
  await shot(page, 'agent-promise');
  await page.keyboard.press('Enter');
  await page.keyboard.press('Enter');
  await page.locator('.toasts .note.good').first().waitFor({ timeout: 5_000 });
}

async function giveBack(page) {
  await page.keyboard.press(THIRD_PARTY);
  await page.keyboard.press('Enter');
  await page.keyboard.press('F9');
  await toState(page, ['ready', 'wrapup', 'paused'], 30_000);
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
    await toState(page, ['ready', 'reserved', 'talking'], 15_000);
    let saved = false;
    for (let n = 0; n < CARDS && !saved; n += 1) {
      if (await oneCard(page, n === 0)) {
        await promise(page);
        saved = true;
      } else await giveBack(page);
    }
    check('a promise is saved with 1 Enter Enter', saved);
    if ((await stateOf(page)) === 'talking') await page.keyboard.press('F9');
    await toState(page, ['ready', 'reserved', 'talking'], 60_000);
    check('after the result the next call may come', true);
    check('the promise is stored', (await office.all('/promises')).length > before);
    await page.keyboard.press('F2');
    await page.keyboard.press('1');
    await until('a pause, now or after this call', async () => (await stateOf(page)) === 'paused' || (await page.locator('.bar .chip.pause').count()) > 0);
    if ((await stateOf(page)) !== 'paused') {
      if (await page.locator('#debtor-name').count()) await giveBack(page);
      await toState(page, ['paused'], 60_000);
    }
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
