import { describe, expect, it } from 'vitest';
import type { Card, Me, Message } from '../lib/wire';
import type { Disposition } from './desk.svelte';
import { applied } from './me';
import { inField, mainDebt, Outcome, presets } from './outcome.svelte';

const money = (amount_minor: number) => ({ amount_minor, currency: 'MXN' });
const card = (gate: boolean): Card => ({
  attempt: 'x', campaign: { id: 'c', name: 'C' }, gate,
  debtor: { id: 'd', name: 'Ana', document_masked: '···1', language: 'es', country: 'MX', phones: [] },
  debts: [{ id: 'debt', external_ref: null, product: null, creditor: null, bucket: 'b31_60', days_past_due: 47,
    balance: gate ? null : money(2_000_000), overdue: gate ? null : money(1_248_055), minimum: gate ? null : money(185_000) }],
  promises: [], payments: [], script: null, offers: [], notices: [], timeline: [],
});
const code = (name: string, required: string[] = []): Disposition => ({ code: name, label_es: '', label_en: '', rpc: true, is_final: false, required, hotkey: 1, agent_may_set: true });
const NOW = Date.parse('2026-11-24T16:00:00Z');

describe('a promise', () => {
  it('has presets of the minimum, half and all that is overdue', () => {
    expect(presets(mainDebt(card(false))).map((p) => [p.key, p.money.amount_minor])).toEqual([['minimum', 185_000], ['half', 624_028], ['total', 1_248_055]]);
    expect(inField(money(185_000))).toBe('1850.00');
  });
  it('by default is the minimum for tomorrow, with no more typing', () => {
    const draft = new Outcome('x');
    draft.choose(code('CD.PP', ['date', 'amount', 'channel']), card(false), NOW);
    expect(draft.body(card(false), code('CD.PP'), NOW)).toEqual({
      code: 'CD.PP',
      promise: { debt_id: 'debt', amount: { amount_minor: 185_000, currency: 'MXN' }, due_date: '2026-11-25', channel: 'transfer' },
    });
  });
  it('waits for identity, and refuses nothing, zero and the past', () => {
    const draft = new Outcome('x');
    draft.choose(code('CD.PP'), card(true), NOW);
    expect([draft.body(card(true), code('CD.PP'), NOW), draft.wrong]).toEqual([null, 'outcome.needIdentity']);
    draft.amount = '0';
    expect([draft.body(card(false), code('CD.PP'), NOW), draft.wrong]).toEqual([null, 'outcome.needAmount']);
    draft.amount = '100';
    draft.due = '2026-11-23';
    expect([draft.body(card(false), code('CD.PP'), NOW), draft.wrong]).toEqual([null, 'outcome.past']);
  });
});

describe('other results', () => {
  it('need a note where data is required, and nothing more where it is not', () => {
    const draft = new Outcome('x');
    expect([draft.body(card(true), code('CD.DI', ['debt', 'ground']), NOW), draft.wrong]).toEqual([null, 'outcome.needNote']);
    draft.note = '  no reconoce el cargo ';
    expect(draft.body(card(true), code('CD.DI', ['debt', 'ground']), NOW)).toEqual({ code: 'CD.DI', note: 'no reconoce el cargo' });
    expect(new Outcome('y').body(card(true), code('CI.EQ'), NOW)).toEqual({ code: 'CI.EQ' });
  });
  it('say of a payment when, how and with what proof, and nothing before they do', () => {
    const draft = new Outcome('x');
    const paid = code('CD.YP', ['claim']);
    draft.choose(paid, card(true), NOW);
    expect([draft.body(card(true), paid, NOW), draft.wrong]).toEqual([null, 'outcome.needPaidOn']);
    draft.paidOn = '2026-11-25';
    expect([draft.body(card(true), paid, NOW), draft.wrong]).toEqual([null, 'outcome.notYet']);
    draft.paidOn = '2026-11-20';
    expect([draft.body(card(true), paid, NOW), draft.wrong]).toEqual([null, 'outcome.needProof']);
    draft.proof = 'yes';
    expect(draft.body(card(true), paid, NOW)).toEqual({ code: 'CD.YP', claim: { paid_on: '2026-11-20', channel: 'transfer', proof: true } });
    const without = code('CD.YP.SIN', ['claim']);
    draft.choose(without, card(true), NOW);
    draft.channel = 'cash';
    expect(draft.body(card(true), without, NOW)).toEqual({ code: 'CD.YP.SIN', claim: { paid_on: '2026-11-20', channel: 'cash', proof: false } });
  });
  it('send a callback as an instant of the debtor’s clock', () => {
    const draft = new Outcome('x');
    draft.callback = '2026-11-25T10:00';
    expect(draft.body(card(true), code('CD.VL'), NOW)).toEqual({ code: 'CD.VL', callback_at: '2026-11-25T16:00:00.000Z' });
    draft.callback = '2026-11-24T09:00';
    expect([draft.body(card(true), code('CD.VL'), NOW), draft.wrong]).toEqual([null, 'outcome.past']);
  });
});

describe('a delta of the desk', () => {
  it('changes only the fields it carries, wherever it carries them', () => {
    const me = { state: 'ready', since: 1, queued: null } as unknown as Me;
    const message = { t: 'd', topic: 'me', seq: 2, now: 9, data: { state: 'talking', since: 5 }, ended: null } as Message;
    expect(applied(me, message)).toEqual({ state: 'talking', since: 5, queued: null, ended: null });
  });
});

describe('the facts of a first contact', () => {
  const owed = (first_contact: boolean): Card => ({ ...card(false), duties: { must_say: ['creditor', 'contract'], first_contact, without_facts: ['CD.NC'], forbidden_questions: [], hidden_leaves: [], notice_within_days: null, written_agreement: true, announce_recording: true, all_party_consent: false, third_party: [] } });
  it('are ticked before the result is saved, and leave with it', () => {
    const draft = new Outcome('x');
    expect([draft.body(owed(true), code('CD.NP.NOQUIERE'), NOW), draft.wrong]).toEqual([null, 'outcome.needFacts']);
    draft.tick('creditor', true);
    expect(draft.body(owed(true), code('CD.NP.NOQUIERE'), NOW)).toBeNull();
    draft.tick('contract', true);
    expect(draft.body(owed(true), code('CD.NP.NOQUIERE'), NOW)).toEqual({ code: 'CD.NP.NOQUIERE', told_facts: ['creditor', 'contract'] });
    draft.tick('creditor', false);
    expect(draft.body(owed(true), code('CD.NP.NOQUIERE'), NOW)).toBeNull();
  });
  it('are not asked of who stops contact, of others than the debtor, nor twice', () => {
    const draft = new Outcome('x');
    expect(draft.body(owed(true), code('CD.NC.ESCRITO'), NOW)).toEqual({ code: 'CD.NC.ESCRITO' });
    expect(draft.body(owed(true), { ...code('CI.MT'), rpc: false }, NOW)).toEqual({ code: 'CI.MT' });
    expect(draft.body(owed(false), code('CD.NP.NOQUIERE'), NOW)).toEqual({ code: 'CD.NP.NOQUIERE' });
  });
});

describe('a refusal', () => {
  it('says why, unless the law forbids to ask', () => {
    const draft = new Outcome('x');
    expect([draft.body(card(true), code('CD.NP'), NOW), draft.wrong]).toEqual([null, 'outcome.needLeaf']);
    expect(draft.body(card(true), code('CD.NP.NOPUEDE'), NOW)).toEqual({ code: 'CD.NP.NOPUEDE' });
    const silent: Card = { ...card(false), duties: { must_say: [], first_contact: false, without_facts: [], forbidden_questions: [], hidden_leaves: ['CD.NP'], notice_within_days: null, written_agreement: true, announce_recording: true, all_party_consent: false, third_party: [] } };
    expect(draft.body(silent, code('CD.NP'), NOW)).toEqual({ code: 'CD.NP' });
  });
});
