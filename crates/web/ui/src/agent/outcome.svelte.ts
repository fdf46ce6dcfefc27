// The result being written: one draft per attempt, checked before it leaves.
import { addDays, today, wallToUtc, zoneOf } from '../lib/dates';
import { minorDigits, parseAmount, type Money } from '../lib/format';
import { upper } from '../lib/dispositions.svelte';
import type { Key } from '../lib/i18n.svelte';
import type { Card, CardDebt } from '../lib/wire';
import type { Disposition } from './desk.svelte';

export const PROMISE = 'CD.PP';
export const CALLBACK = 'CD.VL';
export const PAID = 'CD.YP';
export const REFUSAL = 'CD.NP';
/** What its leaves say of the proof. */
const PROOFS: Readonly<Record<string, 'yes' | 'no'>> = { 'CD.YP.CON': 'yes', 'CD.YP.SIN': 'no' };
export const proofOf = (code: string): 'yes' | 'no' | undefined => PROOFS[code];
export const CHANNELS = ['transfer', 'cash', 'card', 'debit', 'link', 'other'] as const;

/** The debt a promise is about: the first of which the amounts are known. */
export const mainDebt = (card: Card | null): CardDebt | null => card?.debts.find((d) => d.balance ?? d.overdue) ?? null;

/** Minimum, half and all of what is overdue (of the balance where nothing is said to be overdue). */
export function presets(debt: CardDebt | null): { key: 'minimum' | 'half' | 'total'; money: Money }[] {
  const all = debt?.overdue ?? debt?.balance;
  if (!debt || !all || all.amount_minor <= 0) return [];
  const half = { ...all, amount_minor: Math.ceil(all.amount_minor / 2) };
  const list: { key: 'minimum' | 'half' | 'total'; money: Money }[] = [
    { key: 'half', money: half },
    { key: 'total', money: all },
  ];
  if (debt.minimum && debt.minimum.amount_minor > 0) list.unshift({ key: 'minimum', money: debt.minimum });
  return list;
}

export const inField = (money: Money): string => (money.amount_minor / 10 ** minorDigits(money.currency)).toFixed(minorDigits(money.currency));

export class Outcome {
  code = $state<string | null>(null);
  note = $state('');
  amount = $state('');
  due = $state('');
  channel = $state<(typeof CHANNELS)[number]>('transfer');
  callback = $state('');
  /** What he says of a payment. */
  paidOn = $state('');
  proof = $state<'yes' | 'no' | ''>('');
  /** Facts of the first contact that were said. */
  told = $state<readonly string[]>([]);
  /** What is wrong with the draft, as a message key. */
  wrong = $state<Key | null>(null);

  constructor(readonly attempt: string) {}

  choose(disposition: Disposition, card: Card | null, now: number): void {
    this.code = disposition.code;
    this.wrong = null;
    if (disposition.code === PROMISE) this.propose(card, now);
    this.proof = proofOf(disposition.code) ?? this.proof;
  }

  /** The default promise: the smallest preset, tomorrow at the latest by the first pay channel. */
  propose(card: Card | null, now: number): void {
    const first = presets(mainDebt(card))[0];
    if (first && !this.amount) this.amount = inField(first.money);
    if (!this.due) this.due = addDays(today(now, zoneOf(card?.debtor.country)), 1);
  }

  tick(fact: string, said: boolean): void {
    const rest = this.told.filter((f) => f !== fact);
    this.told = said ? [...rest, fact] : rest;
    if (this.wrong === 'outcome.needFacts') this.wrong = null;
  }

  get promise(): boolean {
    return this.code === PROMISE;
  }

  /** The body of the request, or null with `wrong` set. */
  body(card: Card | null, disposition: Disposition, now: number): Record<string, unknown> | null {
    this.wrong = null;
    const note = this.note.trim();
    if (disposition.code === REFUSAL && !card?.duties?.hidden_leaves.includes(REFUSAL)) return this.fail('outcome.needLeaf');
    if (this.owesFacts(card, disposition)) return this.fail('outcome.needFacts');
    const told_facts = disposition.rpc ? this.told : [];
    const base = { code: disposition.code, ...(note ? { note } : {}), ...(told_facts.length ? { told_facts } : {}) };
    if (this.promise) return this.withPromise(base, card, now);
    if (disposition.code === CALLBACK) {
      const at = wallToUtc(this.callback, zoneOf(card?.debtor.country));
      if (!Number.isFinite(at)) return this.fail('outcome.needTime');
      if (at <= now) return this.fail('outcome.past');
      return { ...base, callback_at: new Date(at).toISOString() };
    }
    if (upper(disposition.code) === PAID) return this.withClaim(base, card, now);
    if (disposition.required.length > 0 && !note) return this.fail('outcome.needNote');
    return base;
  }

  /** The result of a first conversation, of which not all was said that the law wants said. */
  private owesFacts(card: Card | null, disposition: Disposition): boolean {
    const duties = card?.duties;
    if (!duties?.first_contact || !disposition.rpc || duties.without_facts.includes(upper(disposition.code))) return false;
    return duties.must_say.some((fact) => !this.told.includes(fact));
  }

  private withPromise(base: object, card: Card | null, now: number): Record<string, unknown> | null {
    const debt = mainDebt(card);
    const currency = (debt?.overdue ?? debt?.balance)?.currency;
    if (!debt || !currency) return this.fail('outcome.needIdentity');
    const minor = parseAmount(this.amount, currency);
    if (!minor || minor <= 0) return this.fail('outcome.needAmount');
    if (!this.due) return this.fail('outcome.needDate');
    if (this.due < today(now, zoneOf(card?.debtor.country))) return this.fail('outcome.past');
    return { ...base, promise: { debt_id: debt.id, amount: { amount_minor: minor, currency }, due_date: this.due, channel: this.channel } };
  }

  private withClaim(base: object, card: Card | null, now: number): Record<string, unknown> | null {
    if (!this.paidOn) return this.fail('outcome.needPaidOn');
    if (this.paidOn > today(now, zoneOf(card?.debtor.country))) return this.fail('outcome.notYet');
    if (!this.proof) return this.fail('outcome.needProof');
    return { ...base, claim: { paid_on: this.paidOn, channel: this.channel, proof: this.proof === 'yes' } };
  }

  private fail(key: Key): null {
    this.wrong = key;
    return null;
  }
}
