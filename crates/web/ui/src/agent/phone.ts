// What the browser's phone decides, apart from the browser.
export type Refusal = 'denied' | 'none' | 'busy' | 'insecure' | 'unplugged' | 'server';

/** Why there is no microphone. */
export function refusalOf(error: unknown): Refusal {
  const name = error instanceof Error || (typeof DOMException !== 'undefined' && error instanceof DOMException) ? error.name : '';
  if (name === 'SecurityError' || name === 'TypeError') return 'insecure';
  if (name === 'NotFoundError' || name === 'OverconstrainedError') return 'none';
  if (name === 'NotReadableError' || name === 'AbortError') return 'busy';
  return 'denied';
}

/** Which phone without a word of the agent: a registered SIP phone goes first, but in the demo that one is simulated. */
export function wish(choice: string | null, registered: boolean, demo: boolean): 'browser' | 'sip' {
  if (choice === 'browser' || choice === 'sip') return choice;
  return demo || !registered ? 'browser' : 'sip';
}

/** Wait before the next connection, ms: at once, then doubled to five seconds, with jitter. */
export function again(tries: number, chance: number): number {
  return tries === 0 ? 0 : Math.min(5_000, 250 * 2 ** (tries - 1)) * (0.75 + chance / 2);
}

/** Loudness of a window of samples, 0 (-60 dBFS) to 1 (full). */
export function loudness(window: Float32Array): number {
  let sum = 0;
  for (const sample of window) sum += sample * sample;
  const db = 10 * Math.log10(sum / Math.max(1, window.length) + 1e-12);
  return Math.min(1, Math.max(0, 1 + db / 60));
}

/** Loudness that shows that somebody speaks: -36 dBFS. */
export const SPOKEN = 0.4;
