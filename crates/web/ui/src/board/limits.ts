// When time in a state becomes an exception. House values, minutes as ms; campaign limits will replace them.
import type { AgentState, BoardAgent } from '../lib/wire';

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
