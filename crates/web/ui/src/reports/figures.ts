// How figures and goals read.
import { amount, number, percent } from '../lib/format';
import type { Figure, Goal, Half } from './types';

/** Kinds of rows whose weights are days, or money times days. */
const DAYS = new Set(['regularised']);
const MONEY_DAYS = new Set(['dated_payments']);

/** One half of a figure: money in its currency, everything else a number. */
export function half(h: Half, currency: string): string {
  const counted = h.sum === 'rows' || h.sum === 'debtors' || (h.sum === 'weight' && DAYS.has(h.rows));
  if (counted || (h.sum === 'weight' && MONEY_DAYS.has(h.rows))) return number(h.value);
  return amount(h.value, currency);
}

export function reads(form: Figure['form'] | string, value: number | null): string {
  if (value === null) return '–';
  if (form === 'share') return percent(value, 1);
  return number(Math.round(value * 100) / 100);
}

/** What a goal counts: money, or pieces. */
export const goalText = (goal: Goal, value: number | null): string => (value === null ? '–' : goal.kind === 'amount' ? amount(value, goal.currency, true) : number(value));

