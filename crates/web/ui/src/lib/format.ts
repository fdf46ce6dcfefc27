// Numbers, money and dates by Intl; the zone is the debtor's or portfolio's where one is known.
import { instant } from './clock.svelte';
import { locale } from './i18n.svelte';

export interface Money {
  amount_minor: number;
  currency: string;
}
/** Currency and minor units, as lists of the wire carry sums. */
export type Sum = [currency: string, minor: number];
export interface Ratio {
  numerator: number;
  denominator: number;
}

/** Minor digits by ISO 4217, the same table as the server's. Intl's own differs (COP has two here, none there). */
const NO_MINOR = new Set(['CLP', 'PYG', 'JPY', 'KRW', 'VND', 'ISK', 'UGX', 'XAF', 'XOF', 'XPF']);
const THREE_MINOR = new Set(['BHD', 'IQD', 'JOD', 'KWD', 'LYD', 'OMR', 'TND']);
export const minorDigits = (currency: string): number => (NO_MINOR.has(currency) ? 0 : THREE_MINOR.has(currency) ? 3 : 2);

const made = new Map<string, Intl.NumberFormat>();
function money(currency: string, short: boolean): Intl.NumberFormat {
  const key = `${locale()} ${currency} ${short}`;
  let format = made.get(key);
  if (!format) {
    const style = { style: 'currency', currency, currencyDisplay: 'narrowSymbol' } as const;
    const digits = minorDigits(currency);
    const fixed = { minimumFractionDigits: digits, maximumFractionDigits: digits };
    format = new Intl.NumberFormat(locale(), short ? { ...style, notation: 'compact', maximumFractionDigits: 1, minimumFractionDigits: 0 } : { ...style, ...fixed });
    made.set(key, format);
  }
  return format;
}

export function amount(minor: number, currency: string, short = false): string {
  return money(currency, short).format(minor / 10 ** minorDigits(currency));
}

export const asMoney = (m: Money | null | undefined, short = false): string => (m ? amount(m.amount_minor, m.currency, short) : '–');

/** Several currencies side by side, never added; zero sums are left out. */
export function sums(list: readonly Sum[] | null | undefined, short = true): string {
  const some = (list ?? []).filter(([, minor]) => minor !== 0);
  const one = ([currency, minor]: Sum): string => {
    const text = amount(minor, currency, short);
    // A currency without a sign in this language is written by its code already; a sum breaks only between currencies.
    return (text.includes(currency) ? text : `${text} ${currency}`).replaceAll(' ', '\u00a0');
  };
  return some.length ? some.map(one).join(' · ') : '–';
}

/** What a person typed (`1,850.50`, `1850`) in minor units, or null. */
export function parseAmount(text: string, currency: string): number | null {
  const plain = text.replace(/[^\d.,-]/g, '');
  const digits = minorDigits(currency);
  const cut = Math.max(plain.lastIndexOf('.'), plain.lastIndexOf(','));
  const tail = cut < 0 ? '' : plain.slice(cut + 1);
  const decimals = cut >= 0 && tail.length <= digits && tail.length > 0 && digits > 0;
  const whole = (decimals ? plain.slice(0, cut) : plain).replace(/[.,]/g, '');
  if (!/^\d+$/.test(whole || '') || (decimals && !/^\d+$/.test(tail))) return null;
  const value = Number(whole) * 10 ** digits + (decimals ? Number(tail.padEnd(digits, '0')) : 0);
  return Number.isSafeInteger(value) ? value : null;
}

export const number = (n: number | null | undefined): string => (n == null ? '–' : new Intl.NumberFormat(locale()).format(n));

export const share = (r: Ratio | null | undefined): number | null => (r && r.denominator > 0 ? r.numerator / r.denominator : null);

export function percent(value: number | null | undefined, digits = 0): string {
  if (value == null) return '–';
  return new Intl.NumberFormat(locale(), { style: 'percent', minimumFractionDigits: digits, maximumFractionDigits: digits }).format(value);
}

export function dateTime(value: number | string | null | undefined, zone?: string): string {
  const ms = instant(value);
  if (!Number.isFinite(ms)) return '–';
  return new Intl.DateTimeFormat(locale(), { dateStyle: 'medium', timeStyle: 'short', timeZone: zone }).format(ms);
}

export function timeOf(value: number | string | null | undefined, zone?: string): string {
  const ms = instant(value);
  if (!Number.isFinite(ms)) return '–';
  return new Intl.DateTimeFormat(locale(), { hour: '2-digit', minute: '2-digit', hourCycle: 'h23', timeZone: zone }).format(ms);
}

/** A local date `2026-11-28`: no zone may move it. */
export function day(date: string | null | undefined, weekday = false): string {
  if (!date) return '–';
  const options = { day: 'numeric', month: 'short', year: 'numeric', timeZone: 'UTC' } as const;
  return new Intl.DateTimeFormat(locale(), weekday ? { ...options, weekday: 'short' } : options).format(Date.parse(`${date.slice(0, 10)}T00:00:00Z`));
}

/** A wall time as its place has it, `2026-11-30T10:05:32-05:00`: no zone may move it. */
export function wallTime(text: string): string {
  const wall = Date.parse(`${text.slice(0, 16)}Z`);
  if (!Number.isFinite(wall)) return text;
  return new Intl.DateTimeFormat(locale(), { dateStyle: 'medium', timeStyle: 'short', timeZone: 'UTC' }).format(wall);
}

/** ISO date of an instant in a zone (the browser's when none is given). */
export function isoDay(ms: number, zone?: string): string {
  return new Intl.DateTimeFormat('en-CA', { year: 'numeric', month: '2-digit', day: '2-digit', timeZone: zone }).format(ms);
}

/** A reference as people know it: without the digest that tells rows of a bank's file apart, and without the amount that tells
    two amounts under one reference apart. */
export function reference(text: string): string {
  const own = text.replace(/ [0-9a-f]{16}(?=$|[#~!-])/, '').replace(/~\d+[A-Z]{3}(?=$|[#!-])/, '');
  return /^row(?=$|[#!-])/.test(own) ? own.replace(/^row/, '–') : own;
}
