// One offset to the server's clock and one beat a second; every timer is drawn from these.
import { t } from './i18n.svelte';

const state = $state({ now: Date.now(), offset: 0, demo: false, speed: 1, heard: Date.now(), known: false });
/** Share of a worse sample taken in: delay makes an offset too small, drift is slow. */
const SLOW = 0.02;

export const clock = {
  /** Server's now, epoch ms, moving once a second. */
  get now(): number {
    return state.now;
  },
  get demo(): boolean {
    return state.demo;
  },
  /** Times as fast as the wall's clock: above 1 the demo is a compressed day, without audio. */
  get speed(): number {
    return state.speed;
  },
  get known(): boolean {
    return state.known;
  },
  /** Server's now at this very moment, epoch ms. */
  exact(): number {
    const real = Date.now();
    return real + state.offset + (state.speed - 1) * (real - state.heard);
  },
};

/** The message with the least delay gives the largest, and truest, offset. */
export function blend(had: number, sample: number): number {
  return sample >= had ? sample : had + (sample - had) * SLOW;
}

export function sawServer(now: number, fresh = false): void {
  const sample = now - Date.now();
  // Where time runs faster, each message is the truth.
  state.offset = fresh || !state.known || state.speed > 1 ? sample : blend(state.offset, sample);
  state.heard = Date.now();
  state.known = true;
  if (fresh) state.now = clock.exact();
}

export function setDemo(demo: boolean, speed = 1): void {
  state.demo = demo;
  state.speed = speed;
}

let beating = false;
export function startBeat(): void {
  if (beating) return;
  beating = true;
  const beat = () => {
    state.now = clock.exact();
    setTimeout(beat, 1000 - (Math.floor(state.now) % 1000) + 2);
  };
  beat();
}

/** Instant of the wire: epoch ms on the socket, RFC 3339 by REST. NaN when absent. */
export function instant(value: number | string | null | undefined): number {
  if (typeof value === 'number') return value;
  return value ? Date.parse(value) : Number.NaN;
}

/** mm:ss, h:mm from sixty minutes. */
export function span(ms: number): string {
  if (!Number.isFinite(ms)) return '–';
  const s = Math.max(0, Math.floor(ms / 1000));
  const two = (n: number) => String(n).padStart(2, '0');
  return s < 3600 ? `${two(Math.floor(s / 60))}:${two(s % 60)}` : `${Math.floor(s / 3600)}:${two(Math.floor((s % 3600) / 60))} h`;
}

export type Age = 'calm' | 'near' | 'over';
/** 80 % of the limit is near, 100 % is over. */
export function age(ms: number, limitMs: number | null | undefined): Age {
  if (!limitMs || limitMs <= 0) return 'calm';
  if (ms >= limitMs) return 'over';
  return ms >= limitMs * 0.8 ? 'near' : 'calm';
}

/** Words for a timer, for those who do not see it. */
export const spoken = (ms: number): string => {
  const s = Math.max(0, Math.floor(ms / 1000));
  return t('time.spoken', { m: Math.floor(s / 60), s: s % 60 });
};
