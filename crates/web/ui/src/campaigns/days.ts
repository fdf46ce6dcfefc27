import type { Schedule } from './types';

/** Days of the week as the server writes them. */
export const DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];

/** A schedule that says nothing: every day alike. */
export const everyDay = (): Schedule => ({ hours: [], from: null, until: null, days_off: [] });

/** The dates with one more, each once, in order. */
export function withDay(dates: string[], date: string): string[] {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(date)) return dates;
  return [...new Set([...dates, date])].sort();
}

/** The days with one switched, in the order of the week. */
export function switched(days: string[], day: string): string[] {
  const next = days.includes(day) ? days.filter((d) => d !== day) : [...days, day];
  return DAYS.filter((d) => next.includes(d));
}

/** Days that no line names yet; working days where there is no line. */
export function freeDays(schedule: Schedule): string[] {
  if (schedule.hours.length === 0) return DAYS.slice(0, 5);
  const named = new Set(schedule.hours.flatMap((line) => line.days));
  const free = DAYS.filter((d) => !named.has(d));
  return free.length ? free : DAYS.slice(0, 5);
}
