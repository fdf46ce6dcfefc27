// A client's terms as the form edits them, and where a refused one is wrong.
import { minorDigits } from '../lib/format';
import { t, type Key } from '../lib/i18n.svelte';
import { wrongIn, type Wrong } from '../lib/refused';
import { ageingWords, keysOf, setOf, STANDARD, type AgeBucket } from './ageing';
import { STAGES } from './types';

/** Buckets of the standard set. */
export const BUCKETS: readonly string[] = keysOf(setOf(STANDARD));
/** What of a debt can be shown to a court: `Evidence` of the server. */
export const EVIDENCE = ['identity', 'address', 'contact', 'items', 'demand', 'agreement'] as const;
/** Stages that lead to a court, so that the statute date counts. */
export const TO_COURT = ['prejudicial', 'judicial'];
export const ROLES = ['agent', 'supervisor', 'manager', 'admin'] as const;

export interface Conditions {
  quita_pct: number;
  down_pct: number;
  instalments: number;
  first_in_days: number;
  every_days: number;
  freeze_interest: boolean;
  early_off_pct: number;
  early_days: number;
}
export interface Offer {
  key: string;
  name_es: string;
  name_en: string;
  buckets: string[];
  min_minor: number;
  max_minor: number | null;
  conditions: Conditions;
}
export interface Authority {
  role: string;
  quita_pct: number;
  instalments: number;
}
export interface PromiseRule {
  /** Whose debtors it is for; null = any. */
  segment_id?: string | null;
  buckets: string[];
  roles: string[];
  min_pct: number;
  max_days: number;
}
export interface StageRule {
  stage: string;
  from_days: number;
  min_minor: number;
  cost_minor: number;
  attempts_min: number;
  channels_min: number;
  max_days: number;
  owner_id: string | null;
  /** Tone of what is written in it; null = the house's. */
  tone?: string | null;
  statute_days: number;
  past_statute: boolean;
  evidence: string[];
}
export interface Terms {
  offers: Offer[];
  authority: Authority[];
  quita_lapses: boolean;
  ask_timeout_s: number;
  promises: PromiseRule[];
  stages: StageRule[];
  /** Who has more overdue stands first in the morning list, minor units; null = the house's. */
  attention_minor: number | null;
  /** In which bucket how many days past due are, youngest first. */
  ageing: AgeBucket[];
}
export type { Wrong };

/** Numbers of an offer: name, least, most. */
export const CONDITIONS: readonly [keyof Conditions & `${string}`, Key, number, number][] = [
  ['quita_pct', 'terms.quita', 0, 95],
  ['down_pct', 'terms.down', 0, 100],
  ['instalments', 'terms.instalments', 0, 60],
  ['first_in_days', 'terms.firstIn', 0, 90],
  ['every_days', 'terms.every', 0, 180],
  ['early_off_pct', 'terms.earlyOff', 0, 50],
  ['early_days', 'terms.earlyDays', 0, 730],
];

export const newOffer = (taken: readonly Offer[]): Offer => {
  let n = taken.length + 1;
  while (taken.some((o) => o.key === `offer-${n}`)) n += 1;
  const conditions = { quita_pct: 0, down_pct: 0, instalments: 3, first_in_days: 3, every_days: 0, freeze_interest: true, early_off_pct: 0, early_days: 0 };
  return { key: `offer-${n}`, name_es: '', name_en: '', buckets: [], min_minor: 0, max_minor: null, conditions };
};
export const newStage = (taken: readonly StageRule[]): StageRule => ({
  stage: STAGES.find((s) => !taken.some((r) => r.stage === s)) ?? STAGES[0],
  from_days: 0,
  min_minor: 0,
  cost_minor: 0,
  attempts_min: 0,
  channels_min: 0,
  max_days: 0,
  owner_id: null,
  tone: null,
  statute_days: 90,
  past_statute: false,
  evidence: [],
});

/** Minor units ↔ what stands in a field. */
export const toMajor = (minor: number | null, currency: string): string => (minor === null ? '' : String(minor / 10 ** minorDigits(currency)));
export const toMinor = (major: string, currency: string): number => Math.round(Number(major || 0) * 10 ** minorDigits(currency));

/** What a refusal says in the words of the screen. */
function words(reason: string): string {
  const aged = ageingWords(reason);
  if (aged) return aged;
  const range = /^expected (\d+) to (\d+)( characters)?$/.exec(reason);
  if (range) return t(range[3] ? 'terms.chars' : 'terms.range', { a: range[1] ?? '', b: range[2] ?? '' });
  if (reason.includes('not taken')) return t('terms.taken');
  if (reason.includes('segment of the client')) return t('terms.segmentGone');
  if (reason.includes('early_off_pct')) return t('terms.earlyBoth');
  if (reason.includes('behind a down payment')) return t('terms.noRest');
  return reason;
}

/** Where a refused document is wrong. */
export const wrongOf = (error: unknown): Wrong => wrongIn(error, 'terms', words);
