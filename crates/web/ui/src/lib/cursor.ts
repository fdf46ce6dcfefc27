// Snapshot and sequence of one topic: what to apply, what to drop, when to ask again. Pure.
export type Verdict = 'apply' | 'old' | 'hole';

export class Cursor {
  private seq: number | null = null;

  get at(): number | null {
    return this.seq;
  }
  reset(): void {
    this.seq = null;
  }
  snap(seq: number): void {
    this.seq = seq;
  }
  /** Deltas count by one; one seen before is dropped, a hole means a snapshot is needed, never a guess. */
  delta(seq: number): Verdict {
    if (this.seq === null) return 'hole';
    if (seq <= this.seq) return 'old';
    if (seq !== this.seq + 1) {
      this.seq = null;
      return 'hole';
    }
    this.seq = seq;
    return 'apply';
  }
}

/** First wait, longest wait, ms (doubling, with jitter so that a restarted server is not stormed). */
const FIRST_MS = 250;
const LONGEST_MS = 5_000;
export function backoff(attempt: number, random: number): number {
  const base = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(attempt, 10));
  return Math.round(base * (0.75 + random / 2));
}
