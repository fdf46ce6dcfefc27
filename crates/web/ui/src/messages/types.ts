// What the screens of messages and strategies read.
import { t, word } from '../lib/i18n.svelte';

export interface Message {
  id: string;
  debtor_id: string;
  channel: string;
  purpose: string;
  template_id: string | null;
  address: string | null;
  subject: string;
  body: string;
  state: string;
  reason: string;
  tries: number;
  due_at: string;
  sent_at: string | null;
  delivered_at: string | null;
  read_at: string | null;
  answered_at: string | null;
  cost_micro: number;
  currency: string | null;
  step: string;
}
export interface Inbox {
  id: string;
  debtor_id: string | null;
  channel: string;
  address: string;
  text: string;
  state: string;
  optout: boolean;
  received_at: string;
  handled_by: string;
}
export interface Template {
  id: string;
  client_id: string;
  name: string;
  channel: string;
  language: string;
  tone: string;
  subject: string;
  body: string;
  provider_name: string;
  provider_language: string;
  active: boolean;
  version: number;
  updated_at: string;
}
/** Which text of a name a step that names no tone sends, and why. */
export interface TextChoice {
  stage: string;
  wanted: string;
  why: string;
  template_id: string | null;
  tone: string | null;
}
export interface PreviewReply {
  rows: { debtor_id: string; external_ref: string; subject: string; body: string; missing: string | null; choice: TextChoice | null }[];
  variables: string[];
}
export interface Step {
  key: string;
  offset_days: number;
  at: string;
  action: string;
  channels: string[];
  template: string;
  tone: string | null;
  campaign_id: string | null;
  letter: string | null;
  note: string;
}
export interface Strategy {
  id: string;
  client_id: string;
  name: string;
  trigger: string;
  segment: string;
  steps: Step[];
  champion_id: string | null;
  share_pct: number;
  status: string;
  version: number;
}
export interface Arm {
  strategy_id: string;
  name: string;
  champion: boolean;
  share_pct: number;
  messages: { state: string; messages: number }[];
  debtors: number;
  payers: number;
  paid: { currency: string; amount: number }[];
  cost: { currency: string; amount: number }[];
}
export interface Trial {
  state: string;
  done: number;
  all: number;
  days: { date: string; way: string; made: number; moved: number; removed: number }[];
  costs: { channel: string; messages: number; cost_micro: number; currency: string | null }[];
  rules: { rule: string; es: string; en: string; steps: number }[];
  debtors: number;
  cut: boolean;
}
export interface Removed {
  debtor_id: string;
  step: string;
  due_at: string;
  rule: string;
}
export interface Planned {
  id: string;
  debtor_id: string;
  step: string;
  action: string;
  due_at: string;
  state: string;
  reason: string;
  note: string;
}

export const CHANNELS = ['sms', 'whatsapp', 'email'] as const;
/** Variables of templates; the server refuses any other by its name. */
export const VARIABLES = ['debtor.name', 'debtor.first_name', 'client.name', 'client.phone', 'debt.reference', 'debt.balance', 'debt.overdue', 'debt.minimum', 'debt.due_date', 'promise.amount', 'promise.due_date', 'payment.link', 'optout'] as const;

/**
 * The word of `msgWhy` behind a reason: of a rule of the law (`pack/part` or `pack/part/more`) the part that is known, else that it is a limit; of
 * any other the code itself, without what stands behind its colon.
 */
export function why(reason: string, known: (key: string) => boolean): string {
  const [pack, ...parts] = reason.split('/');
  if (!parts.length) return (pack ?? '').split(':')[0] ?? '';
  return parts.toReversed().find(known) ?? (parts.length === 1 ? 'cap' : 'rule');
}
/** Millionths of a currency as an amount of it. */
export const micro = (n: number, currency: string | null): string => (currency ? new Intl.NumberFormat(undefined, { style: 'currency', currency, maximumFractionDigits: 4 }).format(n / 1e6) : '–');
/** Days of a trial one after the other, each with its ways. */
export function calendar(days: Trial['days']): { date: string; rows: Trial['days'] }[] {
  const by: { date: string; rows: Trial['days'] }[] = [];
  for (const row of days) {
    const last = by.at(-1);
    if (last?.date === row.date) last.rows.push(row);
    else by.push({ date: row.date, rows: [row] });
  }
  return by;
}

/** A step as people name it, by its day and what is done; one that the strategy has no more by its key. */
export function stepName(strategy: Pick<Strategy, 'steps'>, key: string): string {
  const step = strategy.steps.find((s) => s.key === key);
  if (!step) return key;
  const days = step.offset_days;
  return t(days < 0 ? 'msg.stepBefore' : days > 0 ? 'msg.stepAfter' : 'msg.stepOn', { n: Math.abs(days), at: step.at, what: word('stepAction', step.action) });
}
