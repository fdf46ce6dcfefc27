// What the walks with sound share: connections within reach of the page, ears that tell tones, the device test, a call and
// what was kept of it.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { axe } from './a11y.mjs';
import { LONG_MS, check, shot, until } from './rig.mjs';
import { channels } from './tones.mjs';

/** The voices of the carrier's people. */
export const DEBTOR = [500, 1100];
/** Those of simulated agents. */
export const SIMULATED = [700, 1300];

/** Runs in the page before its own code: keeps connections and the attempt of the last card within reach. */
export function watch() {
  localStorage.setItem('marcador.rawMic', '1'); // tones look like noise to the filters
  window.peers = [];
  const Peer = window.RTCPeerConnection;
  window.RTCPeerConnection = class extends Peer {
    constructor(...given) {
      super(...given);
      window.peers.push(this);
    }
    /** The media goes through the stretch of network that the walk can cut. */
    async setRemoteDescription(answer) {
      const line = /^(a=candidate:\S+ 1 udp \d+) \S+ (\d+) (typ host.*)$/im;
      const port = await window.relayTo(Number(line.exec(answer.sdp)[2]));
      let first = true;
      const sdp = answer.sdp.split('\r\n').flatMap((text) => {
        if (!text.startsWith('a=candidate:')) return [text];
        const kept = first ? [text.replace(line, `$1 127.0.0.1 ${port} $3`)] : [];
        first = false;
        return kept;
      });
      await super.setRemoteDescription({ type: answer.type, sdp: sdp.join('\r\n') });
    }
  };
  const Socket = window.WebSocket;
  window.WebSocket = class extends Socket {
    constructor(...given) {
      super(...given);
      window.socket = this;
      this.addEventListener('message', (event) => {
        const message = JSON.parse(event.data);
        if (message.t === 'pop') window.attempt = message.attempt;
      });
    }
  };
  let ear = null;
  /** Shares of power at `hz` in what the far end says now. */
  window.listen = (hz) => {
    const peer = window.peers.at(-1);
    const track = peer?.getReceivers()[0]?.track;
    if (!track) return null;
    if (ear?.track !== track) {
      const audio = new AudioContext();
      const analyser = audio.createAnalyser();
      analyser.fftSize = 8192;
      audio.createMediaStreamSource(new MediaStream([track])).connect(analyser);
      ear = { track, analyser, rate: audio.sampleRate };
    }
    const window_ = new Float32Array(ear.analyser.fftSize);
    ear.analyser.getFloatTimeDomainData(window_);
    const whole = window_.reduce((sum, s) => sum + s * s, 0);
    return hz.map((f) => {
      if (whole / window_.length < 1e-6) return 0;
      const k = 2 * Math.cos((2 * Math.PI * f) / ear.rate);
      let [a, b] = [0, 0];
      for (const s of window_) [a, b] = [s + k * a - b, a];
      return (2 * (a * a + b * b - k * a * b)) / (window_.length * whole);
    });
  };
}

export const stateOf = (page) => page.locator('.bar [data-state]').first().getAttribute('data-state');
export const chip = (page) => page.locator('.strip .chip').first().innerText();
/** Whether at least that share of what is heard now are the tones. */
export const hears = (page, hz, least = 0.5) => page.evaluate((f) => window.listen(f), hz).then((s) => s !== null && s.reduce((a, b) => a + b, 0) > least);

/** The device test by keyboard: the microphone is heard by itself, the tone is played and confirmed. */
export async function deviceTest(page) {
  const dialog = page.locator('dialog[open]');
  await dialog.waitFor({ timeout: 20_000 });
  check('the device test comes by itself', true);
  const ready = page.locator('.bar').getByRole('button', { name: /^(Disponible|Available)/ });
  check('no calls before the test', await ready.isDisabled());
  await shot(page, 'phone-test');
  await dialog.locator('[role=status].done').first().waitFor({ timeout: 15_000 });
  check('the microphone moves the bar', true);
  await axe(page, 'the device test');
  await dialog.getByRole('button', { name: /^(Reproducir tono|Play tone)$/ }).focus();
  await page.keyboard.press('Enter');
  await dialog.getByRole('button', { name: /^(Sí, lo oigo|Yes, I hear it)$/ }).focus();
  await page.keyboard.press('Enter');
  await dialog.locator('.note.good').waitFor();
  await page.keyboard.press('Escape');
  await until('available may be asked for', async () => !(await ready.isDisabled()));
  check('the test opens the way', true);
}

/** Asks for calls and takes one; its attempt. */
export async function call(page) {
  await page.keyboard.press('d');
  await until('a call', async () => {
    if ((await stateOf(page)) === 'preview') await page.keyboard.press('m');
    return (await stateOf(page)) === 'talking';
  }, LONG_MS);
  const attempt = await until('its card', () => page.evaluate(() => window.attempt));
  await until('the debtor in the browser', () => hears(page, DEBTOR), 20_000);
  check('the debtor is heard in the browser', true);
  check('nobody else is', !(await hears(page, SIMULATED)));
  return attempt;
}

/** The sealed recording: the agent's channel, the debtor's. */
export async function recorded(office, attempt) {
  const recording = await until('the recording', async () =>
    (await office.all(`/recordings?attempt=${attempt}`)).find((r) => r.sealed_at || r.state === 'sealed' || r.sha256), 30_000);
  const { rate, channels: [left, right] } = channels(await office.bytes(`/recordings/${recording.id}/audio`));
  return { rate, left, right };
}

/** What the debtor heard: the carrier's file in the folder PHONE_HEARD. */
export async function atDebtor(attempt) {
  const { rate, channels: [samples] } = await until('what the debtor heard', () => {
    try {
      return channels(readFileSync(join(process.env.PHONE_HEARD, `${attempt}.wav`)));
    } catch {
      return null;
    }
  }, 20_000);
  return { rate, samples };
}
