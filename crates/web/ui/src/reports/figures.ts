// How figures and goals read.
import { amount, number, percent } from '../lib/format';
import { word } from '../lib/i18n.svelte';
import type { Figure, Goal, Half } from './types';

/** Kinds of rows whose weights are days, or money times days. */
const DAYS = new Set(['regularised']);
const MONEY_DAYS = new Set(['dated_payments', 'open_days']);

/** Kinds of rows whose weights are ms of agents' time. */
const TIME = new Set(['login_time', 'busy_time', 'serving_time']);
const HOUR_MS = 3_600_000;
export const isTime = (rows: string): boolean => TIME.has(rows);
export const hours = (ms: number): string => `${number(Math.round((ms / HOUR_MS) * 100) / 100)} h`;

/** One half of a figure: money in its currency, everything else a number. */
export function half(h: Half, currency: string): string {
  if (TIME.has(h.rows)) return hours(h.value);
  const counted = h.sum === 'rows' || h.sum === 'debtors' || (h.sum === 'weight' && DAYS.has(h.rows));
  if (counted || (h.sum === 'weight' && MONEY_DAYS.has(h.rows))) return number(h.value);
  return amount(h.value, currency);
}

export function reads(form: Figure['form'] | string, value: number | null, money?: string): string {
  if (value === null) return '–';
  if (form === 'share') return percent(value, 1);
  if (form === 'seconds') return `${number(Math.round(value))} s`;
  if (form === 'per_hour' && money) return `${amount(Math.round(value), money)}/h`;
  return number(Math.round(value * 100) / 100);
}

/** What a goal counts: money, or pieces. */
export const goalText = (goal: Goal, value: number | null): string => (value === null ? '–' : goal.kind === 'amount' ? amount(value, goal.currency, true) : number(value));


/** What a half counts: rows of the same kind are summed in several ways. */
export function counted(h: Half): string {
  const own = `${h.rows}_${h.sum}`;
  const said = word('kpiRows', own);
  return said === own ? word('kpiRows', h.rows) : said;
}
