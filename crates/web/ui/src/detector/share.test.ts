import { expect, test } from 'vitest';
import { shareOf, shareText } from './share';

test('a share says its parts and its interval, and nothing where nothing was counted', () => {
  expect(shareText({ numerator: 2, denominator: 100, low_pct: 0.55, high_pct: 7 }).replace(/\s/g, ' ')).toContain('2 / 100 = 2.0');
  expect(shareText({ numerator: 0, denominator: 0, low_pct: 0, high_pct: 100 })).toBe('–');
  expect(shareOf({ numerator: 1, denominator: 4, low_pct: 0, high_pct: 0 })).toBe(25);
  expect(shareOf({ numerator: 0, denominator: 0, low_pct: 0, high_pct: 0 })).toBeNull();
});
