import { describe, expect, it } from 'vitest';
import { calendar, micro, stepName, why, type Step } from './types';

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

describe('why a message did not go', () => {
  const known = (key: string) => ['windows', 'preview', 'hold'].includes(key);
  it('knows the part of a rule, whatever pack it is of', () => {
    expect(why('co/windows', known)).toBe('windows');
    expect(why('mx-condusef/messages/preview', known)).toBe('preview');
    expect(why('house/hold/dispute', known)).toBe('hold');
    expect(why('mx-condusef/messages_week', known)).toBe('cap');
    expect(why('co/strict_mode/one_action_day', known)).toBe('rule');
  });
  it('leaves any other code as it is, without its tail', () => {
    expect(why('debt_closed', known)).toBe('debt_closed');
    expect(why('fate_unknown: no answer in time', known)).toBe('fate_unknown');
  });
});

it('names a step by its day and what is done, not by its key', () => {
  const step = (key: string, offset_days: number): Step => ({ key, offset_days, at: '10:00', action: 'call', channels: [], template: '', tone: null, campaign_id: null, letter: null, note: '' });
  const strategy = { steps: [step('d60', 60), step('d0', 0), step('dm2', -2)] };
  expect(stepName(strategy, 'd60')).toBe('60 d después, 10:00: llamada');
  expect(stepName(strategy, 'd0')).toBe('el mismo día, 10:00: llamada');
  expect(stepName(strategy, 'dm2')).toBe('2 d antes, 10:00: llamada');
  expect(stepName(strategy, 'gone')).toBe('gone');
});
