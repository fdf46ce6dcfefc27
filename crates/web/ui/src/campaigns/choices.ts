// What a campaign chooses of codes and offers, and how a draft and what is in force differ.
import { Problem } from '../lib/api';

/** Codes that stop contact, or say that a number is another's, are every agent's. */
export const alwaysGiven = (d: { code: string; hold: string | null }): boolean => d.hold !== null || d.code === 'CI.EQ';

/** The list with that entry or without it; what stands under it goes when it comes. */
export function switchedIn(list: readonly string[], entry: string, under: readonly string[] = []): string[] {
  if (list.includes(entry)) return list.filter((x) => x !== entry);
  return [...list.filter((x) => !under.includes(x)), entry];
}

export interface Difference {
  field: string;
  began: unknown;
  published: unknown;
  draft: unknown;
}
export interface Outdated {
  began_from: number | null;
  published: number;
  differs: Difference[];
}

/** What publishing a draft would take back, where that is why it was refused. */
export function outdated(error: unknown): Outdated | null {
  if (!(error instanceof Problem) || error.code !== 'draft_outdated') return null;
  const { began_from, published, differs } = error.more;
  if (typeof published !== 'number' || !Array.isArray(differs)) return null;
  return { began_from: typeof began_from === 'number' ? began_from : null, published, differs: differs as Difference[] };
}

/** A value of a setting in one line. */
export function shown(value: unknown): string {
  if (value === null || value === undefined || value === '') return '–';
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.length > 120 ? `${text.slice(0, 119)}…` : text;
}
