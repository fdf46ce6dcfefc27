// What a tick does to the rows, and figures over all campaigns: pure.
import type { BoardAgent, BoardRow, CampaignRow } from '../lib/wire';

/** The short row of a tick: whole values, so that applying one twice is harmless. */
export function withRow(agent: BoardAgent, row: BoardRow): BoardAgent {
  const [, state, since, calls, occupancy_pct, promises, minor] = row;
  const amount = agent.amount[0] ? [[agent.amount[0][0], minor] as [string, number], ...agent.amount.slice(1)] : agent.amount;
  const pause_code = state === 'paused' ? agent.pause_code : null;
  return { ...agent, state, since, calls, occupancy_pct, promises, amount, pause_code };
}

/** Rows with the same id are replaced whole, new ones added, the rest kept. */
export function merged<T extends { id: string }>(had: readonly T[], changed: readonly T[] | undefined): T[] {
  if (!changed?.length) return had as T[];
  const byId = new Map(changed.map((row) => [row.id, row]));
  const kept = had.map((row) => {
    const next = byId.get(row.id);
    if (next) byId.delete(row.id);
    return next ?? row;
  });
  return [...kept, ...byId.values()];
}

export function abandonment(campaigns: readonly CampaignRow[]): { numerator: number; denominator: number } {
  return campaigns.reduce((sum, c) => ({ numerator: sum.numerator + c.abandonment.numerator, denominator: sum.denominator + c.abandonment.denominator }), { numerator: 0, denominator: 0 });
}

/** The strictest cap among campaigns that dial, as a share; null where none is set. */
export function cap(campaigns: readonly CampaignRow[]): number | null {
  const caps = campaigns.filter((c) => c.status === 'running').flatMap((c) => (c.abandonment.cap_pct == null ? [] : [c.abandonment.cap_pct / 100]));
  return caps.length ? Math.min(...caps) : null;
}
