import { describe, expect, it } from 'vitest';
import type { BoardAgent, CampaignRow } from '../lib/wire';
import { exceptions, limitOf } from './limits';
import { abandonment, cap, chance, merged, withRow } from './rows';

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
  it('of few answers is told with what chance makes of it', () => {
    expect(chance({ numerator: 0, denominator: 0 })).toBeNull();
    const seen = chance({ numerator: 1, denominator: 20 });
    expect(seen?.step).toBeCloseTo(5);
    expect(seen?.low).toBeCloseTo(0.89, 1);
    expect(seen?.high).toBeCloseTo(23.6, 1);
    expect(chance({ numerator: 0, denominator: 20 })?.low).toBeCloseTo(0);
  });
});
