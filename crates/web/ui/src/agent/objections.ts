// Objections on the card: which of them are found, and what a negotiation came to.
import { percent, type Money, amount } from '../lib/format';
import { t } from '../lib/i18n.svelte';
import type { Card, CardObjection } from '../lib/wire';

const fold = (s: string): string => s.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase();

/** Those that hold every word; what the debtor says goes before what is answered. */
export function found(all: readonly CardObjection[], text: string): CardObjection[] {
  const words = fold(text).split(/\s+/).filter(Boolean);
  const holds = (said: string) => words.every((w) => fold(said).includes(w));
  const titled = all.filter((o) => holds(o.title));
  return [...titled, ...all.filter((o) => !titled.includes(o) && holds(`${o.title} ${o.answer}`))];
}

/** Whether the debtor may be asked why he did not pay. */
export const mayAsk = (card: Pick<Card, 'duties'>): boolean => !card.duties?.forbidden_questions.includes('reason_for_default');

export interface Negotiation {
  goal: Money;
  reached: Money;
  pct_bp: number;
}
/** The result of a call against its goal, in words; empty where nothing was negotiated. */
export function reached(reply: unknown): string {
  const done = (reply as { negotiation?: Negotiation | null } | null)?.negotiation;
  if (!done) return '';
  return t('goal.ofCall', { reached: amount(done.reached.amount_minor, done.reached.currency), goal: amount(done.goal.amount_minor, done.goal.currency), pct: percent(done.pct_bp / 10_000) });
}
