// A share with its interval, as it is read: `2 / 100 = 2.0 % (0.6–7.0)`.
import { number, percent } from '../lib/format';
import type { Share } from './types';

export function shareText(share: Share): string {
  if (share.denominator === 0) return '–';
  const span = `${percent(share.low_pct / 100, 1)}–${percent(share.high_pct / 100, 1)}`;
  return `${number(share.numerator)} / ${number(share.denominator)} = ${percent(share.numerator / share.denominator, 1)} (${span})`;
}
/** Percent, or nothing where nothing was counted. */
export const shareOf = (share: Share): number | null => (share.denominator ? (100 * share.numerator) / share.denominator : null);
