// Where each message of a ladder is drawn.
import type { SipStep } from './types';

export const ROW = 30;
export const TOP = 44;
export const WIDTH = 720;
const US = 150;
const DEBTOR = 420;
const PARTY = 660;

export interface Arrow {
  step: SipStep;
  y: number;
  from: number;
  to: number;
  /** Milliseconds since the first message. */
  after: number;
  /** Where it is told that messages before this one were not kept. */
  gap: number | null;
}

/** Lifelines: ours, the debtor's, and that of a number called into the call, when there is one. */
export function lifelines(steps: readonly SipStep[]): { key: 'us' | 'debtor' | 'party'; x: number }[] {
  const party = steps.some((s) => s.leg === 'party');
  return [{ key: 'us', x: US }, { key: 'debtor', x: DEBTOR }, ...(party ? [{ key: 'party' as const, x: PARTY }] : [])];
}

export function arrows(steps: readonly SipStep[]): Arrow[] {
  const first = steps.length ? Date.parse(steps[0]!.at) : 0;
  let row = 0;
  return steps.map((step) => {
    const far = step.leg === 'party' ? PARTY : DEBTOR;
    const [from, to] = step.out ? [US, far] : [far, US];
    const gap = step.left_before > 0 ? TOP + row++ * ROW : null;
    return { step, y: TOP + row++ * ROW, from, to, after: Date.parse(step.at) - first, gap };
  });
}

/** Height of a drawn ladder. */
export const tall = (drawn: readonly Arrow[]): number => (drawn.at(-1)?.y ?? TOP) + ROW;

/** `4.32`; nothing where there was no audio. */
export const mos = (hundredths: number | null): string => (hundredths === null ? '–' : (hundredths / 100).toFixed(2));

/** What the estimate means, by the bands of ITU-T G.107 annex B. */
export function band(hundredths: number | null): 'good' | 'fair' | 'poor' | 'none' {
  if (hundredths === null) return 'none';
  return hundredths >= 403 ? 'good' : hundredths >= 360 ? 'fair' : 'poor';
}

export function lossPercent(received: number, lost: number): number | null {
  const expected = received + lost;
  return expected > 0 ? lost / expected : null;
}
