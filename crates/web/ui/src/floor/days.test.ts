import { expect, test } from 'vitest';
import { byDay, type Callback } from './types';

const row = (debtor_id: string, local: string): Callback => ({
  campaign_id: 'c', campaign: 'Temprana', debtor_id, external_ref: debtor_id, name: 'Ana', phone_masked: null,
  at: '2026-11-28T16:00:00.000Z', local, zone: 'America/Bogota', agent_id: null, agent: null, late: false,
});

test('call-backs stand under the day of their debtor, not of the browser', () => {
  const days = byDay([row('a', '2026-11-28T23:30'), row('b', '2026-11-29T00:10'), row('c', '2026-11-28T23:50')]);
  expect(days.map((d) => [d.day, d.rows.map((r) => r.debtor_id)])).toEqual([
    ['2026-11-28', ['a', 'c']],
    ['2026-11-29', ['b']],
  ]);
  expect(byDay([])).toEqual([]);
});
