import { describe, expect, it } from 'vitest';
import type { Preview } from '../campaigns/types';
import { amount, sums } from '../lib/format';
import { written } from './expected';

type Expected = Preview['count']['expected'][number];
const of = (...expected: Expected[]): Preview['count'] => ({ debtors: 3, phones: 3, balance: [], expected, recovery_days: 30 });
const row = (currency: string, amount_minor: number | null, unknown_minor = 0, borrowed_minor = 0): Expected => ({ currency, amount_minor, unknown_minor, borrowed_minor });

describe('what a segment may be expected to bring', () => {
  it('is a dash where nothing is known, and never a nought', () => {
    expect(written(of(row('MXN', null, 500_000)))).toEqual({ figure: '—', known: false, unknown: '', borrowed: '' });
    expect(written(of())).toMatchObject({ figure: '—', known: false });
  });
  it('is nought where debts of that age are known to bring nothing', () => {
    expect(written(of(row('MXN', 0)))).toEqual({ figure: amount(0, 'MXN', true), known: true, unknown: '', borrowed: '' });
  });
  it('tells of which balance nothing is known and for which the share of all was taken', () => {
    expect(written(of(row('MXN', 120_000, 0, 900_000), row('USD', null, 50_000)))).toEqual({
      figure: sums([['MXN', 120_000]]),
      known: true,
      unknown: sums([['USD', 50_000]]),
      borrowed: sums([['MXN', 900_000]]),
    });
  });
});
