// Ageing buckets: a client's own set, and how a bucket is called wherever one is shown.
import { api } from '../lib/api';
import { t, word } from '../lib/i18n.svelte';
import { session } from '../lib/session.svelte';

export interface AgeBucket {
  /** The client's own name of it; empty = by its days. */
  label: string;
  /** Lowest day past due; null in the first bucket alone. */
  from: number | null;
  /** Highest day past due; null in the last one alone. */
  to: number | null;
}
/** Buckets of a set, and days that one may end on, at most: as the server has it. */
export const BUCKETS_MAX = 12;
export const DAYS_MAX = 3650;

/** The set whose buckets end on these days, with one behind the last of them. */
export const setOf = (ends: readonly number[]): AgeBucket[] =>
  [...ends, null].map((to, n) => ({ label: '', from: n ? Number(ends[n - 1]) + 1 : null, to }));
export const STANDARD = [0, 30, 60, 90, 120, 180, 360] as const;
export const MICRO = [0, 7, 30, 60, 90] as const;

/** The set of a client; the standard one where it may not be read or is not at hand. */
export async function ageingOf(client: string): Promise<AgeBucket[]> {
  if (!session.may('GET /api/v1/clients/{id}/terms')) return setOf(STANDARD);
  try {
    return (await api.get<{ terms: { ageing: AgeBucket[] } }>(`/clients/${client}/terms`)).terms.ageing;
  } catch {
    return setOf(STANDARD);
  }
}

/** Name of a bucket in offers, rules and segments: its days. */
export const keyOf = (bucket: AgeBucket): string => (bucket.from === null ? 'preventive' : `b${bucket.from}_${bucket.to ?? 'plus'}`);
export const keysOf = (set: readonly AgeBucket[]): string[] => set.map(keyOf);

/** The same set with the bucket `n` ending on a day: the next one begins behind it. */
export function endOn(set: readonly AgeBucket[], n: number, to: number): AgeBucket[] {
  return set.map((bucket, at) => (at === n ? { ...bucket, to } : at === n + 1 ? { ...bucket, from: to + 1 } : bucket));
}

/** One bucket more: the last is cut after its first thirty days. */
export function withOneMore(set: readonly AgeBucket[]): AgeBucket[] {
  const last = set.at(-1);
  if (!last || set.length >= BUCKETS_MAX) return [...set];
  const to = (last.from ?? 0) + 29;
  return [...set.slice(0, -1), { ...last, to }, { label: '', from: to + 1, to: null }];
}

/** Without the bucket `n`: its days go to the one before it. */
export function without(set: readonly AgeBucket[], n: number): AgeBucket[] {
  const gone = set[n];
  if (!gone || n < 2) return [...set];
  return set.filter((_, at) => at !== n).map((bucket, at) => (at === n - 1 ? { ...bucket, to: gone.to } : bucket));
}

/** What a bucket is called: by the client, else by its days. */
export function bucketName(key: string | null | undefined, label?: string | null): string {
  if (label) return label;
  const known = word('bucket', key);
  const days = /^b(\d+)_(?:(\d+)|plus)$/.exec(key ?? '');
  if (known !== key || !days) return known;
  return days[2] ? `${days[1]}–${days[2]}` : `${days[1]}+`;
}

/** Word of a bucket in both languages, as a segment's rows offer it. */
export function bucketWord(bucket: AgeBucket): { value: string; es: string; en: string } {
  const { from, to, label } = bucket;
  const named = (days: string): string => (label ? `${label} (${days})` : days);
  if (from === null) return { value: keyOf(bucket), es: named('sin vencer'), en: named('not due yet') };
  if (to === null) return { value: keyOf(bucket), es: named(`más de ${from - 1} días`), en: named(`more than ${from - 1} days`) };
  return { value: keyOf(bucket), es: named(`${from} a ${to} días`), en: named(`${from} to ${to} days`) };
}

/** What a refusal about a set says in the words of the screen; null for another one. */
export function ageingWords(reason: string): string | null {
  const days = /^expected day (\d+) to (\d+)$/.exec(reason);
  if (days) return t('terms.range', { a: days[1] ?? '', b: days[2] ?? '' });
  if (/^expected some of preventive/.test(reason)) return t('terms.bucketGone');
  return null;
}
