// Local dates for promises and callbacks, in the zone of the debtor's country.
import { isoDay } from './format';

/** The capital's or business centre's zone; what the law reads is judged by the server. */
const ZONES: Record<string, string> = {
  MX: 'America/Mexico_City', CO: 'America/Bogota', PE: 'America/Lima', CL: 'America/Santiago', AR: 'America/Argentina/Buenos_Aires',
  EC: 'America/Guayaquil', BR: 'America/Sao_Paulo', US: 'America/New_York', ES: 'Europe/Madrid', GB: 'Europe/London',
};
export const zoneOf = (country: string | null | undefined): string | undefined => (country ? ZONES[country] : undefined);

const DAY_MS = 86_400_000;
const iso = (ms: number): string => new Date(ms).toISOString().slice(0, 10);
const noon = (date: string): number => Date.parse(`${date}T12:00:00Z`);

export const addDays = (date: string, days: number): string => iso(noon(date) + days * DAY_MS);

/** The next Friday after the date. */
export function friday(date: string): string {
  const ahead = (5 - new Date(noon(date)).getUTCDay() + 7) % 7;
  return addDays(date, ahead === 0 ? 7 : ahead);
}

/** The next pay day after the date: the 15th or the 30th (the last day of a shorter month). */
export function quincena(date: string): string {
  const [year = 0, month = 1, day = 1] = date.split('-').map(Number);
  const last = new Date(Date.UTC(year, month, 0)).getUTCDate();
  const second = Math.min(30, last);
  if (day < 15) return iso(Date.UTC(year, month - 1, 15));
  if (day < second) return iso(Date.UTC(year, month - 1, second));
  return iso(Date.UTC(year, month, 15));
}

export const today = (now: number, zone?: string): string => isoDay(now, zone);

/** The instant of a wall time `2026-11-28T10:00` in a zone, epoch ms; NaN for what is no time. */
export function wallToUtc(wall: string, zone?: string): number {
  if (!zone) return Date.parse(wall);
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d/.test(wall)) return Number.NaN;
  const guess = Date.parse(`${wall.slice(0, 16)}:00Z`);
  // Twice, because the offset at the guess may differ from the one at the answer.
  return guess - offset(guess - offset(guess, zone), zone);
}

/** Wall time of an instant in a zone, in the form that a date-time field takes. */
export function utcToWall(ms: number, zone?: string): string {
  return new Date(ms + (zone ? offset(ms, zone) : -new Date(ms).getTimezoneOffset() * 60_000)).toISOString().slice(0, 16);
}

function offset(ms: number, zone: string): number {
  if (!Number.isFinite(ms)) return Number.NaN;
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: zone, hourCycle: 'h23', year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric', second: 'numeric',
  });
  const part: Record<string, number> = {};
  for (const { type, value } of format.formatToParts(ms)) part[type] = Number(value);
  const wall = Date.UTC(part.year ?? 0, (part.month ?? 1) - 1, part.day, part.hour, part.minute, part.second);
  return wall - Math.floor(ms / 1000) * 1000;
}
