// Tones told by frequency: writing them as a microphone, finding them in what was recorded.

/** A WAV of tones, 48 kHz, 16-bit, mono: what Chromium takes as a microphone. Whole seconds loop without a click. */
export function microphone(hz, seconds = 4, rate = 48_000) {
  const samples = Array.from({ length: seconds * rate }, (_, i) =>
    hz.reduce((sum, f) => sum + (0.35 / hz.length) * Math.sin((2 * Math.PI * f * i) / rate), 0));
  const data = Buffer.alloc(44 + samples.length * 2);
  data.write('RIFF', 0);
  data.writeUInt32LE(36 + samples.length * 2, 4);
  data.write('WAVEfmt ', 8);
  data.writeUInt32LE(16, 16);
  data.writeUInt16LE(1, 20);
  data.writeUInt16LE(1, 22);
  data.writeUInt32LE(rate, 24);
  data.writeUInt32LE(rate * 2, 28);
  data.writeUInt16LE(2, 32);
  data.writeUInt16LE(16, 34);
  data.write('data', 36);
  data.writeUInt32LE(samples.length * 2, 40);
  samples.forEach((s, i) => data.writeInt16LE(Math.round(s * 32_767), 44 + 2 * i));
  return data;
}

/** Channels of a PCM WAV, samples from -1 to 1. */
export function channels(wav) {
  const bytes = Buffer.from(wav);
  if (bytes.toString('latin1', 0, 4) !== 'RIFF') throw new Error('no WAV');
  let at = 12;
  let format = { channels: 1, rate: 8_000 };
  while (at + 8 <= bytes.length) {
    const name = bytes.toString('latin1', at, at + 4);
    const size = bytes.readUInt32LE(at + 4);
    if (name === 'fmt ') format = { channels: bytes.readUInt16LE(at + 10), rate: bytes.readUInt32LE(at + 12) };
    if (name === 'data') {
      const end = Math.min(bytes.length, at + 8 + size);
      const out = Array.from({ length: format.channels }, () => []);
      for (let i = at + 8; i + 2 * format.channels <= end; i += 2 * format.channels)
        out.forEach((channel, n) => channel.push(bytes.readInt16LE(i + 2 * n) / 32_768));
      return { rate: format.rate, channels: out };
    }
    at += 8 + size + (size % 2);
  }
  throw new Error('a WAV without sound');
}

/** Share of the window's power at each frequency (Goertzel). */
export function share(window, hz, rate) {
  const whole = window.reduce((sum, s) => sum + s * s, 0);
  if (whole / window.length < 1e-5) return 0;
  const k = 2 * Math.cos((2 * Math.PI * hz) / rate);
  let [a, b] = [0, 0];
  for (const s of window) [a, b] = [s + k * a - b, a];
  return (2 * (a * a + b * b - k * a * b)) / (window.length * whole);
}

/** What each 200 ms is: 'tone' = more than `least` of it at `hz`, 'quiet' = next to nothing, else 'other'. */
export function windows(samples, rate, hz, least = 0.5) {
  const length = rate / 5;
  const out = [];
  for (let i = 0; i + length <= samples.length; i += length) {
    const window = samples.slice(i, i + length);
    const power = window.reduce((sum, s) => sum + s * s, 0) / length;
    const found = hz.reduce((sum, f) => sum + share(window, f, rate), 0);
    out.push(power < 3e-5 ? 'quiet' : found > least ? 'tone' : 'other');
  }
  return out;
}

/** Longest run of a kind, ms. */
export function longest(kinds, kind) {
  let [run, most] = [0, 0];
  for (const k of kinds) {
    run = k === kind ? run + 1 : 0;
    most = Math.max(most, run);
  }
  return most * 200;
}
