// What a client's contract asks beyond the law: as the server sends it, as the form edits it, and in words.
import { t, tn, word } from '../lib/i18n.svelte';
import { wrongIn, type Wrong } from '../lib/refused';
import { DAYS } from './codes';

/** Over what a cap counts, and what it counts: the words of the packs. */
export const SCOPES = ['creditor_person', 'person', 'debt', 'phone'] as const;
export const COUNTS = ['attempt', 'conversation', 'contact', 'direct_contact', 'message', 'action'] as const;
export const PERIODS = ['calendar_day', 'calendar_week', 'rolling_days'] as const;
/** Most days that a cap or a gap may look back. */
export const DAYS_MAX = 45;
/** Most windows and caps of a contract. */
export const WINDOWS_MAX = 49;
export const CAPS_MAX = 20;
/** The end of a day as the packs write it; a field for a time of day shows it as the midnight that it is. */
const DAY_END = '24:00';
const MIDNIGHT = '00:00';

export interface TermWindow {
  days: string[];
  from: string;
  to: string;
  channels: string[];
}
export interface TermCap {
  id: string;
  scope: string;
  counts: string;
  limit: number;
  /** One member: `{rolling_days: n}`, `{calendar_day: 1}`, `{calendar_week: 'mon'}`. */
  window: Record<string, number | string>;
  channels: string[];
  min_gap_days: number | null;
  source: string | null;
}
export interface ContractTerms {
  strict_mode: boolean;
  windows: TermWindow[];
  caps: TermCap[];
}
export interface ClientLaw {
  client_id: string;
  /** 0: the client said nothing. */
  version: number;
  terms: ContractTerms;
  updated_at: string;
  updated_by: string;
}

/** A version with who put it in force: a name, where it was a person. */
export interface LawVersion extends ClientLaw {
  by: string | null;
}

/** A cap in the form: figures may be empty while somebody writes. */
export interface CapDraft {
  id: string;
  scope: string;
  counts: string;
  limit: number | null;
  period: string;
  days: number | null;
  channels: string[];
  gap: number | null;
  source: string;
}
export interface Draft {
  strict_mode: boolean;
  windows: TermWindow[];
  caps: CapDraft[];
}
export type { Wrong };

export const newWindow = (): TermWindow => ({ days: DAYS.slice(0, 5), from: '09:00', to: '18:00', channels: ['call'] });

export function newCap(taken: readonly CapDraft[]): CapDraft {
  let n = taken.length + 1;
  while (taken.some((c) => c.id === `cap_${n}`)) n += 1;
  return { id: `cap_${n}`, scope: 'creditor_person', counts: 'attempt', limit: null, period: 'calendar_day', days: null, channels: ['call'], gap: null, source: '' };
}

export function draftOf(terms: ContractTerms): Draft {
  const windows = terms.windows.map((w) => ({ ...w, days: [...w.days], channels: [...w.channels], to: w.to === DAY_END ? MIDNIGHT : w.to }));
  const caps = terms.caps.map((cap): CapDraft => {
    const [period = 'calendar_day', figure] = Object.entries(cap.window)[0] ?? [];
    const days = period === 'rolling_days' ? Number(figure) : null;
    return { id: cap.id, scope: cap.scope, counts: cap.counts, limit: cap.limit, period, days, channels: [...cap.channels], gap: cap.min_gap_days, source: cap.source ?? '' };
  });
  return { strict_mode: terms.strict_mode, windows, caps };
}

function period(cap: CapDraft): TermCap['window'] {
  if (cap.period === 'rolling_days') return { rolling_days: cap.days ?? 0 };
  return cap.period === 'calendar_week' ? { calendar_week: 'mon' } : { calendar_day: 1 };
}

/** What is left out or is no whole number, at its field: an empty figure is none, never zero. */
function missing(draft: Draft): Wrong {
  const wrong: Wrong = {};
  const whole = (path: string, figure: number | null) => {
    if (figure === null) wrong[path] = t('contract.needed');
    else if (!Number.isInteger(figure) || figure < 1) wrong[path] = t('contract.whole');
  };
  const some = (path: string, picked: string[]) => {
    if (!picked.length) wrong[path] = t('contract.pickOne');
  };
  draft.windows.forEach((w, n) => {
    some(`windows[${n}].days`, w.days);
    some(`windows[${n}].channels`, w.channels);
    if (!w.from) wrong[`windows[${n}].from`] = t('contract.needed');
    if (!w.to) wrong[`windows[${n}].to`] = t('contract.needed');
  });
  draft.caps.forEach((cap, n) => {
    if (!cap.id.trim()) wrong[`caps[${n}].id`] = t('contract.needed');
    whole(`caps[${n}].limit`, cap.limit);
    if (cap.period === 'rolling_days') whole(`caps[${n}].window`, cap.days);
    if (cap.gap !== null) whole(`caps[${n}].min_gap_days`, cap.gap);
    some(`caps[${n}].channels`, cap.channels);
  });
  return wrong;
}

/** The draft as the server takes it, or what is still missing in it. */
export function published(draft: Draft): { terms: ContractTerms; wrong: null } | { terms: null; wrong: Wrong } {
  const wrong = missing(draft);
  if (Object.keys(wrong).length) return { terms: null, wrong };
  const windows = draft.windows.map((w) => ({ ...w, days: DAYS.filter((d) => w.days.includes(d)), channels: [...w.channels], to: w.to === MIDNIGHT ? DAY_END : w.to }));
  const caps = draft.caps.map((cap): TermCap => ({ id: cap.id.trim(), scope: cap.scope, counts: cap.counts, limit: cap.limit ?? 0, window: period(cap), channels: [...cap.channels], min_gap_days: cap.gap, source: cap.source.trim() || null }));
  return { terms: { strict_mode: draft.strict_mode, windows, caps }, wrong: null };
}

/** What a refusal says in the words of the screen; one that no word is known for says it itself. */
function words(reason: string): string {
  const range = /expected (\d+) to (\d+)( characters)?$/.exec(reason);
  if (range) return t(range[3] ? 'terms.chars' : 'terms.range', { a: range[1] ?? '', b: range[2] ?? '' });
  const most = /^expected at most (\d+)$/.exec(reason);
  if (most) return t('contract.most', { n: most[1] ?? '' });
  if (reason.includes('expected 1 or more')) return t('contract.whole');
  if (reason.includes('expected at least one')) return t('contract.pickOne');
  if (reason.includes('a time after from')) return t('contract.after');
  if (reason.includes('stands twice')) return t('contract.twice');
  if (reason.includes('of a–z')) return t('contract.idForm');
  return reason;
}

/** Where a refused contract is wrong. */
export const wrongOf = (error: unknown): Wrong => wrongIn(error, 'terms', words);

const listed = (list: string, codes: readonly string[]): string => codes.map((code) => word(list, code)).join(', ');

function capInWords(cap: TermCap): string {
  const [of = '', figure] = Object.entries(cap.window)[0] ?? [];
  const within = of === 'rolling_days' ? tn('contract.inDays', Number(figure)) : word('capPeriod', of);
  const gap = cap.min_gap_days === null ? '' : tn('contract.gapWords', cap.min_gap_days);
  const counted = t('contract.capWords', { limit: cap.limit, counts: word('capCounts', cap.counts), scope: word('capScope', cap.scope), within, channels: listed('via', cap.channels) });
  return [counted, gap, cap.source ?? ''].filter(Boolean).join(' · ');
}

/** What it asks, a sentence each; none where it asks nothing. */
export function inWords(terms: ContractTerms): string[] {
  const windows = terms.windows.map((w) => t('contract.windowWords', { channels: listed('via', w.channels), days: w.days.length === DAYS.length ? t('contract.everyDay') : listed('day', w.days), from: w.from, to: w.to }));
  return [...(terms.strict_mode ? [t('contract.strictWords')] : []), ...windows, ...terms.caps.map(capInWords)];
}
