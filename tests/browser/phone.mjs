// The browser as the agent's phone: a tone enters the microphone, is heard at the debtor's SIP leg and on the
// left of the recording; the debtor is heard in the browser and on the right. Mute, hold, keys, loss of network, and
// a browser that gives no microphone. Wants PHONE_HEARD = folder of what debtors heard (demo --keep-heard).
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DEBTOR, SIMULATED, atDebtor, call, chip, deviceTest, hears, recorded, stateOf, watch } from './ears.mjs';
import { base, check, open, people, program, shot, signIn, signOut, until } from './rig.mjs';
import { Relay } from './relay.mjs';
import { longest, microphone, windows } from './tones.mjs';

/** The agent's voice; neither the debtors' (500, 1100), nor the simulated agents' (700, 1300). */
const AGENT = [900, 1500];
/** Sounds through the hold music, with three tenths of its power. */
const MUSIC = [330];
const MUSIC_SHARE = 0.2;
const MUTE_MS = 2_500;
const HOLD_MS = 3_000;
/** Longer than a browser mends by itself, shorter than the server waits for an agent's audio. */
const CUT_MS = 9_000;

async function mute(page) {
  await page.waitForTimeout(2_000); // something to hear before
  await page.keyboard.press('F4');
  const button = page.getByRole('button', { name: /^(Silenciar|Mute)/ });
  await until('muted', async () => (await button.getAttribute('aria-pressed')) === 'true', 4_000);
  await page.waitForTimeout(MUTE_MS);
  await page.keyboard.press('F4');
  await until('unmuted', async () => (await button.getAttribute('aria-pressed')) === 'false', 4_000);
  check('F4 mutes and unmutes', true);
  await page.waitForTimeout(1_500);
}

/** Holds by F6 and takes back: the agent hears nobody meanwhile, and the debtor again afterwards. */
async function hold(page) {
  const button = page.locator('button[aria-keyshortcuts="F6"]');
  await page.keyboard.press('F6');
  await until('held', async () => (await button.getAttribute('aria-pressed')) === 'true', 4_000);
  check('F6 holds the call', (await stateOf(page)) === 'hold', await stateOf(page));
  await page.waitForTimeout(HOLD_MS / 2);
  check('the debtor on hold is not heard', !(await hears(page, DEBTOR, 0.2)));
  await shot(page, 'phone-held');
  await page.waitForTimeout(HOLD_MS / 2);
  await page.keyboard.press('F6');
  await until('taken back', async () => (await button.getAttribute('aria-pressed')) === 'false', 4_000);
  check('F6 takes it back', (await stateOf(page)) === 'talking', await stateOf(page));
  await until('the debtor again', () => hears(page, DEBTOR), 10_000);
  check('the debtor is heard after the hold', true);
  await page.waitForTimeout(1_500);
}

async function key(page) {
  await page.keyboard.press('#');
  await page.locator('dialog[open]').waitFor();
  await page.keyboard.press('5');
  await page.waitForTimeout(400);
  await page.keyboard.press('Escape');
}

/** Takes the network away, media, socket and all, and gives it back. */
async function loss(page, relay, attempt) {
  const got = () => page.evaluate(async () => {
    let packets = 0;
    for (const s of (await window.peers.at(-1).getStats()).values()) if (s.type === 'inbound-rtp') packets += s.packetsReceived;
    return packets;
  });
  const peers = await page.evaluate(() => window.peers.length);
  await page.context().setOffline(true);
  relay.cut = true;
  await page.evaluate(() => window.socket.close());
  await page.waitForTimeout(500);
  const before = await got();
  await page.waitForTimeout(1_000);
  check('the network is gone', (await got()) === before, (await got()) - before);
  await page.waitForTimeout(CUT_MS - 1_500);
  check('the loss is said', /perdido|lost/i.test(await chip(page)), await chip(page));
  await shot(page, 'phone-lost');
  await page.context().setOffline(false);
  relay.cut = false;
  await until('audio again', async () => /^(Navegador|Browser)$/.test((await chip(page)).trim()) && (await hears(page, DEBTOR)), 20_000);
  await until('the call again', async () => (await stateOf(page)) === 'talking', 10_000);
  check('the same call goes on', (await page.evaluate(() => window.attempt)) === attempt);
  check('on a new connection', (await page.evaluate(() => window.peers.length)) > peers);
  await page.waitForTimeout(2_000);
}

/** What was recorded and what the debtor heard. */
async function proofs(office, attempt) {
  const { rate, left, right } = await recorded(office, attempt);
  const spoken = windows(left, rate, AGENT);
  check('left: the microphone\'s tone', longest(spoken, 'tone') >= 1_000, longest(spoken, 'tone'));
  check('left: silence while muted', longest(spoken, 'quiet') >= MUTE_MS - 600, longest(spoken, 'quiet'));
  check('left: never the debtor', !windows(left, rate, DEBTOR).includes('tone'));
  const debtor = windows(right, rate, DEBTOR);
  check('right: the debtor', debtor.filter((k) => k === 'tone').length >= 10, debtor.filter((k) => k === 'tone').length);
  check('right: never the agent', !windows(right, rate, AGENT).includes('tone'));
  const heard = await atDebtor(attempt);
  const kinds = windows(heard.samples, heard.rate, AGENT);
  check('the debtor heard the microphone\'s tone', longest(kinds, 'tone') >= 1_000, longest(kinds, 'tone'));
  check('and not while muted', longest(kinds, 'quiet') >= MUTE_MS - 600, longest(kinds, 'quiet'));
  const music = windows(heard.samples, heard.rate, MUSIC, MUSIC_SHARE);
  check('on hold the debtor heard the music', longest(music, 'tone') >= HOLD_MS - 600, longest(music, 'tone'));
  const from = music.indexOf('tone');
  const during = kinds.slice(from, music.lastIndexOf('tone') + 1);
  check('and not the agent meanwhile', !during.includes('tone'), during.join(' '));
  check('but before it and after it', kinds.indexOf('tone') < from && kinds.indexOf('tone', from + during.length) > 0);
  check('left: the music that the debtor was told', windows(left, rate, MUSIC, MUSIC_SHARE).filter((k) => k === 'tone').length * 200 >= HOLD_MS - 600);
  const last = kinds.lastIndexOf('tone') - kinds.indexOf('tone');
  check('before the loss and after it', last * 200 > CUT_MS, last * 200);
  const line = readFileSync(join(process.env.PHONE_HEARD, '..', 'carrier.jsonl'), 'utf8').split('\n').find((l) => l.includes(attempt));
  check('the key reached the debtor\'s side', JSON.parse(line).digits === '5', JSON.parse(line).digits);
  check('never a simulated phone', !windows(heard.samples, heard.rate, SIMULATED).includes('tone'));
}

async function withMicrophone(mic) {
  const browser = await open({ mic });
  const { page } = browser;
  const relay = new Relay();
  await browser.context.exposeFunction('relayTo', (port) => relay.to(port));
  await browser.context.addInitScript(watch);
  const office = await program(people.manager());
  try {
    await signIn(page, people.agent());
    await until('the browser is the phone', async () => /^(Navegador|Browser)$/.test((await chip(page)).trim()), 30_000);
    check('the browser is the phone', true);
    await deviceTest(page);
    const attempt = await call(page);
    await shot(page, 'phone-call');
    await mute(page);
    await hold(page);
    await key(page);
    await loss(page, relay, attempt);
    await page.keyboard.press('F9');
    await until('the end', async () => (await stateOf(page)) !== 'talking', 10_000);
    await proofs(office, attempt);
    check('no errors on the page', browser.errors.length === 0, browser.errors.join('; '));
  } catch (error) {
    await shot(page, 'phone-failed');
    throw error;
  } finally {
    relay.close();
    await browser.close();
  }
}

/** A browser that gives no microphone: the demo's simulated phone stands in and the screen says so. */
async function without() {
  const browser = await open();
  const { page } = browser;
  try {
    await signIn(page, people.agent());
    const strip = page.locator('.strip');
    await until('the refusal on the screen', async () => /simulado|simulated/.test(await strip.innerText()), 30_000);
    check('without a microphone the simulated phone is said to stand in', true);
    await until('the simulated phone', async () => (await page.locator('.links .chip.ready').count()) >= 2, 40_000);
    check('and calls can come', true);
    await shot(page, 'phone-refused');
    await signOut(page);
  } finally {
    await browser.close();
  }
}

export async function phone() {
  if (!process.env.PHONE_HEARD) throw new Error(`PHONE_HEARD is not set (a demo with --keep-heard at ${base})`);
  const folder = mkdtempSync(join(tmpdir(), 'marcador-mic-'));
  const mic = join(folder, 'tones.wav');
  writeFileSync(mic, microphone(AGENT));
  try {
    await without();
    await withMicrophone(mic);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
