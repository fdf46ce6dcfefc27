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

/** What chance alone does to a share of few: points that one more moves it by, and its score interval of 95 %, percent. */
export function chance(of: { numerator: number; denominator: number }): { step: number; low: number; high: number } | null {
  const n = of.denominator;
  if (n <= 0) return null;
  const [p, z2] = [of.numerator / n, 1.96 ** 2];
  const centre = p + z2 / (2 * n);
  const half = 1.96 * Math.sqrt((p * (1 - p)) / n + z2 / (4 * n * n));
  const pct = (x: number) => (100 * Math.min(1, Math.max(0, x))) / (1 + z2 / n);
  return { step: 100 / n, low: pct(centre - half), high: pct(centre + half) };
}

/** The strictest cap among campaigns that dial, as a share; null where none is set. */
export function cap(campaigns: readonly CampaignRow[]): number | null {
  const caps = campaigns.filter((c) => c.status === 'running').flatMap((c) => (c.abandonment.cap_pct == null ? [] : [c.abandonment.cap_pct / 100]));
  return caps.length ? Math.min(...caps) : null;
}

/** A share as far as it is above the cap, percent; the cap itself where it is not. */
export function above(now: number | null, limit: number | null): number | null {
  return now === null || limit === null ? null : Math.max(now, limit) * 100;
}

/** Labels in a row, each said once. */
export const once = (labels: readonly string[]): string[] => labels.map((label, i) => (label === labels[i - 1] ? '' : label));
