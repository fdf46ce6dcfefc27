import { describe, expect, it } from 'vitest';
import type { BoardAgent, CampaignRow } from '../lib/wire';
import { exceptions, limitOf, overCap } from './limits';
import { abandonment, above, cap, chance, merged, once, withRow } from './rows';

const agent = (more: Partial<BoardAgent> = {}): BoardAgent => ({
  id: 'a', name: 'Ana', team: null, campaign: null, state: 'ready', pause_code: null, since: 0, debtor_masked: null, attempt: null,
  calls: 0, rpc: 0, promises: 0, amount: [['MXN', 0]], occupancy_pct: 0, link_ms: null, ...more,
});
const campaign = (status: CampaignRow['status'], numerator: number, denominator: number, cap_pct: number | null) =>
  ({ id: status, status, abandonment: { numerator, denominator, cap_pct } }) as CampaignRow;

describe('rows of a tick', () => {
  it('carry whole values, so that twice is harmless', () => {
    const row = ['a', 'wrapup', 500, 41, 87, 9, 3_800_000] as const;
    const once = withRow(agent({ state: 'paused', pause_code: 'lunch' }), [...row]);
    expect(once).toMatchObject({ state: 'wrapup', since: 500, calls: 41, occupancy_pct: 87, promises: 9, amount: [['MXN', 3_800_000]], pause_code: null });
    expect(withRow(once, [...row])).toEqual(once);
  });
  it('replace by id, add new ones and keep the rest', () => {
    const had = [agent({ id: '1' }), agent({ id: '2' })];
    expect(merged(had, [agent({ id: '2', calls: 5 }), agent({ id: '3' })]).map((a) => [a.id, a.calls])).toEqual([['1', 0], ['2', 5], ['3', 0]]);
    expect(merged(had, undefined)).toBe(had);
  });
});

describe('exceptions', () => {
  it('are those over their limit, worst first; readiness is no fault', () => {
    const list = [
      agent({ id: 'rest', state: 'paused', pause_code: 'restroom', since: 0 }),
      agent({ id: 'wrap', state: 'wrapup', since: 400_000 }),
      agent({ id: 'lag', state: 'lagged', since: 590_000 }),
      agent({ id: 'fine', state: 'talking', since: 590_000 }),
      agent({ id: 'idle', state: 'ready', since: 0 }),
      agent({ id: 'school', state: 'paused', pause_code: 'training', since: 0 }),
    ];
    expect(exceptions(list, 600_000).map((a) => a.id)).toEqual(['rest', 'wrap', 'lag']);
    expect(limitOf(agent({ state: 'offline' }))).toBeNull();
  });
});

describe('abandonment', () => {
  it('adds numerators and denominators, never percentages; the strictest cap counts', () => {
    const rows = [campaign('running', 3, 100, 3), campaign('paused', 1, 100, 1)];
    expect(abandonment(rows)).toEqual({ numerator: 4, denominator: 200 });
    expect(cap(rows)).toBeCloseTo(0.03);
    expect(cap([])).toBeNull();
  });
  it('is painted only where it is above the cap, and no time is told twice', () => {
    expect(above(0, 0.03)).toBeCloseTo(3);
    expect(above(0.05, 0.03)).toBeCloseTo(5);
    expect(above(0.05, null)).toBeNull();
    expect(above(null, 0.03)).toBeNull();
    expect(once(['06:30', '06:30', '06:31', '06:31', '06:32'])).toEqual(['06:30', '', '06:31', '', '06:32']);
  });
  it('above the cap is an exception, with the answers that are still missing', () => {
    const many = { ...campaign('running', 8, 100, 3), id: 'many' };
    const few = { ...campaign('running', 1, 28, 3), id: 'few' };
    const found = overCap([few, many, campaign('running', 3, 100, 3), campaign('paused', 9, 100, 3), campaign('running', 9, 100, null)]);
    expect(found.map((c) => [c.id, c.few])).toEqual([['many', null], ['few', 28]]);
    const lowered = { ...few, problem: { code: 'guard_progressive', es: '', en: '' } };
    expect(overCap([lowered]).map((c) => c.few)).toEqual([null]);
    const month = { window: 'days_30', numerator: 40, denominator: 1_000, cap_pct: 3, free: -10, binds: true };
    expect(overCap([{ ...campaign('running', 0, 10, 3), abandonment_windows: [month] }]).map((c) => c.now)).toEqual([0.04]);
    expect(overCap([{ ...campaign('running', 0, 10, 3), abandonment_windows: [{ ...month, binds: false }] }])).toEqual([]);
  });
  it('of few answers is told with what chance makes of it', () => {
    expect(chance({ numerator: 0, denominator: 0 })).toBeNull();
    const seen = chance({ numerator: 1, denominator: 20 });
    expect(seen?.step).toBeCloseTo(5);
    expect(seen?.low).toBeCloseTo(0.89, 1);
    expect(seen?.high).toBeCloseTo(23.6, 1);
    expect(chance({ numerator: 0, denominator: 20 })?.low).toBeCloseTo(0);
  });
});
