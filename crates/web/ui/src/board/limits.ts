// When time in a state becomes an exception. House values, minutes as ms; campaign limits will replace them.
import type { AgentState, BoardAgent, CampaignRow } from '../lib/wire';

const MIN = 60_000;
const BY_PAUSE: Record<string, number> = { break: 15 * MIN, lunch: 60 * MIN, restroom: 8 * MIN, login: 10 * MIN, wrap_timeout: 3 * MIN, no_answer: 3 * MIN, lagged: 3 * MIN, forced: 30 * MIN };
const BY_STATE: Partial<Record<AgentState, number>> = { wrapup: 2 * MIN, hold: 3 * MIN, talking: 20 * MIN, ready: 10 * MIN, lagged: 5_000, ringing: 30_000, reserved: 60_000, preview: 2 * MIN };

/** Limit for the state an agent is in, ms; null where none applies (training, admin, offline). */
export function limitOf(agent: Pick<BoardAgent, 'state' | 'pause_code'>): number | null {
  if (agent.state === 'paused') return BY_PAUSE[agent.pause_code ?? ''] ?? null;
  return BY_STATE[agent.state] ?? null;
}

/** Those over their limit, longest over first: problems before everything else. */
export function exceptions(agents: Iterable<BoardAgent>, now: number): BoardAgent[] {
  const over = (a: BoardAgent) => {
    const limit = limitOf(a);
    return limit === null ? -1 : now - a.since - limit;
  };
  return [...agents].filter((a) => a.state !== 'offline' && a.state !== 'ready' && over(a) >= 0).sort((a, b) => over(b) - over(a));
}

/** Answers from which the quotient of abandonment binds, as the guard counts. */
export const BINDS_FROM = 100;

export interface OverCap {
  id: string;
  name: string;
  now: number;
  cap: number;
  /** Answers counted, where they are too few to bind; null where nothing is missing. */
  few: number | null;
}

/** Campaigns that dial and are above their cap, worst first: by the windows that bind, else by the day's figure. */
export function overCap(campaigns: readonly CampaignRow[]): OverCap[] {
  const found = campaigns.filter((c) => c.status === 'running').flatMap((c): OverCap[] => {
    const binding = (c.abandonment_windows ?? []).filter((w) => w.binds);
    const seen: CampaignRow['abandonment'][] = binding.length ? binding : [c.abandonment];
    const over = seen.flatMap((w) => (w.cap_pct != null && w.denominator > 0 && w.numerator * 100 > w.cap_pct * w.denominator ? [{ ...w, cap: w.cap_pct / 100 }] : []));
    const first = over[0];
    if (!first) return [];
    // Where the guard has lowered the mode nothing waits for more answers.
    const lowered = c.problem?.code.startsWith('guard_') ?? false;
    const few = !lowered && first.denominator < BINDS_FROM ? Math.round(first.denominator) : null;
    return [{ id: c.id, name: c.name, now: first.numerator / first.denominator, cap: first.cap, few }];
  });
  return found.sort((a, b) => b.now / b.cap - a.now / a.cap);
}
