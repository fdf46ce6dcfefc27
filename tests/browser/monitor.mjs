// A supervisor joins a call by his own browser: listens (both voices, unheard), whispers (the agent alone hears him),
// barges in (the debtor too), takes the call over. Each voice is a pair of tones of its own, told by frequency in
// both browsers and in what the debtor heard. Wants a demo as for phone: people who talk long, --keep-heard.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { axe } from './a11y.mjs';
import { deviceTest, hears, stateOf, watch } from './ears.mjs';
import { Relay } from './relay.mjs';
import { LONG_MS, check, open, people, program, shot, signIn, until } from './rig.mjs';
import { channels, microphone, windows } from './tones.mjs';

const AGENT = [900, 1500];
const SUPERVISOR = [1700, 2300];
const DEBTOR = [500, 1100];
/** Time in which a mode may take hold; what is heard afterwards counts. */
const SETTLE_MS = 1_000;
const MODE_MS = 4_000;

async function person(mic, relay, who) {
  const browser = await open({ mic });
  await browser.context.exposeFunction('relayTo', (port) => relay.to(port));
  await browser.context.addInitScript(watch);
  await signIn(browser.page, who);
  return browser;
}

/** What somebody hears over some seconds: how many of the looks found the tones. */
async function share(page, hz, looks = 8) {
  let found = 0;
  for (let n = 0; n < looks; n += 1) {
    if (await hears(page, hz, 0.12)) found += 1;
    await page.waitForTimeout(250);
  }
  return found / looks;
}

/** Joins in a mode by the panel's button. */
async function join_(page, name, mode) {
  await page.locator('aside').getByRole('button', { name }).click();
  const dialog = page.locator('dialog[open]');
  if (mode === 'barge' || mode === 'take_over') await dialog.getByRole('button', { name: /^(Confirmar|Confirm)/ }).click();
  await page.locator(`.band[data-mode=${mode}]`).waitFor({ timeout: 15_000 });
  await page.waitForTimeout(SETTLE_MS);
}

/** Each mode with who hears whom while it lasts; gives when each began, ms on the walk's clock. */
async function modes(agent, boss) {
  const began = {};
  const mark = (mode) => (began[mode] = Date.now());
  await join_(boss, /^(Escuchar|Listen)/, 'listen');
  await until('sound at the supervisor', () => hears(boss, DEBTOR, 0.12), 20_000);
  mark('listen');
  check('listening: the debtor is heard', (await share(boss, DEBTOR)) > 0.5);
  check('listening: the agent is heard', (await share(boss, AGENT)) > 0.5);
  check('listening: nobody hears him', (await share(agent, SUPERVISOR)) === 0);
  await shot(boss, 'monitor-listen');
  await axe(boss, 'the board with a call listened to');
  await join_(boss, /^(Susurrar|Whisper)/, 'whisper');
  mark('whisper');
  check('whisper: the agent hears him', (await share(agent, SUPERVISOR)) > 0.5);
  check('whisper: and the debtor still', (await share(agent, DEBTOR)) > 0.5);
  await boss.waitForTimeout(MODE_MS / 2);
  await join_(boss, /^(Intervenir|Barge)/, 'barge');
  mark('barge');
  check('barge: the agent hears him', (await share(agent, SUPERVISOR)) > 0.5);
  await boss.waitForTimeout(MODE_MS / 2);
  await join_(boss, /^(Tomar la llamada|Take)/, 'take_over');
  mark('take_over');
  await until('the agent is let go', async () => (await stateOf(agent)) !== 'talking', 10_000);
  check('taken over: the agent is let go', true);
  check('taken over: the debtor is heard', (await share(boss, DEBTOR)) > 0.5);
  await shot(boss, 'monitor-taken');
  await boss.waitForTimeout(MODE_MS / 2);
  mark('end');
  return began;
}

/** The debtor's own ears: which voices in which mode. His file ends with the call. */
function debtorHeard(file, began) {
  const heard = channels(readFileSync(file));
  const answered = began.over - (heard.channels[0].length / heard.rate) * 1_000;
  const say = (hz, from, to) => {
    const samples = heard.channels[0].slice(...[from, to].map((at) => Math.max(0, Math.round(((at - answered) * heard.rate) / 1_000))));
    const kinds = windows(samples, heard.rate, hz, 0.12);
    return kinds.filter((k) => k === 'tone').length / Math.max(1, kinds.length);
  };
  // The clocks of walk and file agree to about half a second: edges are left out.
  const within = (hz, mode, next) => say(hz, began[mode] + 300, began[next] - SETTLE_MS - 700);
  check('the debtor: no supervisor while he listens', within(SUPERVISOR, 'listen', 'whisper') === 0);
  check('the debtor: no supervisor while he whispers', within(SUPERVISOR, 'whisper', 'barge') === 0);
  check('the debtor: the agent all the while', within(AGENT, 'listen', 'whisper') > 0.6, within(AGENT, 'listen', 'whisper'));
  check('the debtor: both when he barges in', within(SUPERVISOR, 'barge', 'take_over') > 0.6, within(SUPERVISOR, 'barge', 'take_over'));
  check('the debtor: the supervisor when he took over', within(SUPERVISOR, 'take_over', 'end') > 0.6, within(SUPERVISOR, 'take_over', 'end'));
  check('the debtor: and the agent no more', within(AGENT, 'take_over', 'end') === 0, within(AGENT, 'take_over', 'end'));
}

/** The call was his: its result is his to tell, by the agents' form. */
async function tellsResult(boss, office, attempt) {
  const panel = boss.locator('aside[data-taken]');
  const simple = (await office.get('/dispositions')).items.find((d) => d.agent_may_set && d.required.length === 0 && d.hotkey >= 1 && d.hotkey <= 9);
  await panel.getByRole('group').getByRole('button', { name: simple.label_es }).or(panel.getByRole('group').getByRole('button', { name: simple.label_en })).first().click();
  await axe(boss, 'monitor-result');
  await shot(boss, 'monitor-result');
  await panel.getByRole('button', { name: /^(Guardar|Save)/ }).click();
  await until('his result', async () => (await office.get(`/attempts/${attempt}`)).disposition === simple.code, 10_000);
  check('who took a call over tells its result', true);
  await panel.getByRole('button', { name: /^(Cerrar|Close)/ }).click();
  await panel.waitFor({ state: 'detached', timeout: 5_000 });
}

async function walk(folder) {
  const mic = (name, hz) => {
    const file = join(folder, `${name}.wav`);
    writeFileSync(file, microphone(hz));
    return file;
  };
  const relay = new Relay();
  const office = await program(people.admin());
  const desk = await person(mic('agent', AGENT), relay, people.agent());
  const board = await person(mic('supervisor', SUPERVISOR), relay, people.supervisor());
  const [agent, boss] = [desk.page, board.page];
  try {
    await deviceTest(agent);
    await agent.keyboard.press('d');
    await until('a call', async () => {
      if ((await stateOf(agent)) === 'preview') await agent.keyboard.press('m');
      return (await stateOf(agent)) === 'talking';
    }, LONG_MS);
    const attempt = await until('its card', () => agent.evaluate(() => window.attempt));
    await until('the debtor at the agent', () => hears(agent, DEBTOR), 20_000);
    await boss.keyboard.press('/');
    await boss.keyboard.type('Gestora');
    await boss.keyboard.press('Escape');
    await boss.keyboard.press('j');
    await boss.locator('aside h2').waitFor();
    const began = await modes(agent, boss);
    await boss.locator('.band[data-mode]').getByRole('button', { name: /^(Colgar|Hang up)/ }).click();
    began.over = Date.now();
    await boss.locator('.band[data-mode]').waitFor({ state: 'detached', timeout: 10_000 });
    check('he ends the call he took', true);
    await tellsResult(boss, office, attempt);
    await until('the end of the attempt', async () => (await office.get(`/attempts/${attempt}`)).ended_at, 20_000);
    const file = join(process.env.PHONE_HEARD, `${attempt}.wav`);
    await until('what the debtor heard', () => {
      try {
        return readFileSync(file).length > 44;
      } catch {
        return false;
      }
    }, 20_000);
    debtorHeard(file, began);
    const joined = (await office.all('/audit', 'after'))
      .filter((e) => e.data?.action === 'monitor' && e.subject?.endsWith(attempt)).map((e) => e.data.mode);
    check('each mode is in the audit', ['listen', 'whisper', 'barge', 'take_over'].every((m) => joined.includes(m)), joined.join());
    for (const b of [desk, board]) check('no errors on the page', b.errors.length === 0, b.errors.join('; '));
  } catch (error) {
    await shot(boss, 'monitor-failed-board');
    await shot(agent, 'monitor-failed-agent');
    throw error;
  } finally {
    relay.close();
    await desk.close();
    await board.close();
  }
}

export async function monitor() {
  if (!process.env.PHONE_HEARD) throw new Error('PHONE_HEARD is not set (a demo with --keep-heard)');
  const folder = mkdtempSync(join(tmpdir(), 'marcador-mic-'));
  try {
    await walk(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
