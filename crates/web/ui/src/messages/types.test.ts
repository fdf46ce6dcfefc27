import { describe, expect, it } from 'vitest';
import { calendar, micro } from './types';

const day = (date: string, way: string) => ({ date, way, made: 1, moved: 0, removed: 0 });

describe('strategies on trial', () => {
  it('has one group a day, in order', () => {
    const rows = [day('2026-12-01', 'sms'), day('2026-12-01', 'call'), day('2026-12-02', 'sms')];
    expect(calendar(rows).map((d) => [d.date, d.rows.length])).toEqual([['2026-12-01', 2], ['2026-12-02', 1]]);
    expect(calendar([])).toEqual([]);
  });
  it('shows costs of less than a cent, and none without a currency', () => {
    expect(micro(350_000, 'MXN')).toMatch(/0[.,]35/);
    expect(micro(1_500, 'USD')).toMatch(/0[.,]0015/);
    expect(micro(10, null)).toBe('–');
  });
});
