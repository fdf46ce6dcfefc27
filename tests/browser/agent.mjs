// A gestora's shift by keyboard alone: ready, card, identity, promise, pause, reload, out.
import { howToPay, paid } from './paid.mjs';
import { LONG_MS, check, open, people, program, seenAtOnce, shot, signIn, signOut, until } from './rig.mjs';

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
  check('unsigned packs are shown at the desk', await page.locator('.bar [data-standing]').isVisible());
  check('the recording is to be announced', (await page.locator('[data-duties] .rules li').count()) > 0);
  check('the script is there', (await page.locator('section').filter({ hasText: /Identificación|Identification/ }).count()) > 0);
  await shot(page, 'agent-card-gated');
}

/** Each press of `H` ticks one fact of a first contact; the result is not saved before. */
async function facts(page) {
  const left = async () => Number(await page.locator('[data-duties]').getAttribute('data-duties'));
  for (let owed = await left(); owed > 0; owed -= 1) {
    await page.keyboard.press('h');
    await until('one fact less', async () => (await left()) === owed - 1, 2_000);
  }
}

/** `S`, then `1 Enter Enter` saves the default promise (screens.md: at most three keystrokes). */
async function promise(page) {
  await page.keyboard.press('s');
  await until('amounts after identity', async () => (await veils(page)) === 0, 4_000);
  await howToPay(page);
  await shot(page, 'agent-card');
  await facts(page);
  await page.keyboard.press('1');
  await page.locator('.form .read').waitFor({ timeout: 3_000 });
  await shot(page, 'agent-promise');
  await page.keyboard.press('Enter');
  await page.keyboard.press('Enter');
  await page.locator('.toasts .note.good').first().waitFor({ timeout: 4_000 });
}

/** A goal of the agent stands on his screen, in a call too, and moves with money that he brought. */
async function goal(page, office, promise, giveBack) {
  const clock = Date.parse((await office.get('/clock')).now);
  const [portfolio] = (await office.get(`/portfolios?client=${promise.client_id}`)).items;
  const day = new Date(clock).toLocaleDateString('en-CA', { timeZone: portfolio.zone });
  const { agent_id, client_id, currency } = promise;
  const { id } = await office.post('/goals', { client_id, agent_id, kind: 'amount', currency, target: 900_000_000, from_day: day, to_day: day });
  await until('the goal is on the card', async () => {
    if ((await page.locator(`[data-my-goals=card] [data-my-goal="${id}"]`).count()) > 0) return true;
    // Between calls it is on the desk.
    if ((await stateOf(page)) === 'wrapup') await giveBack(page);
    return false;
  }, LONG_MS);
  await shot(page, 'agent-goal');
  check('the agent’s goal is on the card', true);
  const { debtor_id, debt_id } = promise;
  const post = () => office.post('/payments', { debtor_id, debt_id, channel: 'transfer', amount: { amount_minor: 100, currency }, paid_at: new Date(clock).toISOString(), reference: `goal-${promise.id}` });
  await seenAtOnce(page, 'the agent’s goal', { selector: `[data-my-goals] [data-my-goal="${id}"]`, attribute: 'data-done', more: 100 }, post);
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

/** `B` on a judged call: it was a machine, it ends, and its verdict is put right. */
async function machine(page, office, next) {
  const sample = async (id) => (await office.get('/reports/detector/samples?days=1&limit=100')).items.find((s) => s.attempt_id === id);
  for (let n = 0; n < 8; n += 1) {
    await next();
    const id = await page.locator('[data-call]').getAttribute('data-call', { timeout: 3_000 }).catch(() => null);
    const judged = id && (await until('its verdict', () => sample(id), 8_000).catch(() => null));
    if (judged && (await stateOf(page)) === 'talking') {
      await page.keyboard.press('b');
      const row = await until('its code', async () => {
        const call = await office.get(`/attempts/${id}`);
        return call.disposition && call.ended_at && call;
      });
      check('B ends the call of a machine and codes it', row.disposition === 'NC.BZ', row.disposition);
      check('and its verdict is put right', (await sample(id)).truth === 'machine');
      await toState(page, ['ready', 'reserved', 'talking', 'preview'], 15_000);
      return;
    }
    await giveBack(page);
  }
  throw new Error('no judged call for the key');
}

export async function agent() {
  const browser = await open();
  const { page } = browser;
  const office = await program(people.manager());
  const before = (await office.all('/promises')).length;
  const me = await (await program(people.agent())).get('/me');
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
    const promises = await office.all('/promises');
    check('the promise is stored', promises.length > before);
    let own;
    const his = async () => {
      const all = (await office.all('/promises')).filter((p) => p.agent_id === me.agent.id);
      own = all.filter((p) => p.state === 'active').pop() ?? all.pop();
      return own !== undefined;
    };
    await until('the promise is the agent’s', his, 10_000);
    await goal(page, office, own, giveBack);
    const talking = async () => {
      while (!((await next(page)) && (await stateOf(page)) === 'talking')) await giveBack(page);
    };
    await machine(page, office, talking);
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
