import { describe, expect, it } from 'vitest';
import { Outcome, presets, PROMISE } from '../agent/outcome.svelte';
import type { File } from '../campaigns/types';
import { cardOf } from './taken.svelte';

const debt = { id: 'd', external_ref: 'r', product: 'tarjeta', currency: 'MXN', principal_minor: 90_000, interest_minor: 8_000, fees_minor: 2_000, overdue_minor: 40_000, minimum_minor: 0, due_date: '2026-10-01', status: 'open' };
const file = (debts: File['debts']): Pick<File, 'debtor' | 'debts'> => ({
  debtor: { id: 'x', name: 'Ana', document: 'DOC', external_ref: 'e', kind: 'person', country: 'MX', subdivision: null, language: 'es', address_zone: null },
  debts,
});

describe('the card of a call that was taken over', () => {
  it('has the amounts that a promise is made of, of open debts only', () => {
    const card = cardOf('a', file([{ ...debt, id: 'paid', status: 'closed' }, debt]));
    expect(card.debts.map((d) => [d.id, d.balance?.amount_minor, d.overdue?.amount_minor])).toEqual([['d', 100_000, 40_000]]);
    expect(presets(card.debts[0] ?? null).map((p) => [p.key, p.money.amount_minor])).toEqual([['half', 20_000], ['total', 40_000]]);
    const outcome = new Outcome('a');
    const disposition = { code: PROMISE, label_es: '', label_en: '', rpc: true, is_final: false, required: ['promise'], hotkey: 1, agent_may_set: true };
    outcome.choose(disposition, card, Date.UTC(2026, 10, 25));
    expect(outcome.body(card, disposition, Date.UTC(2026, 10, 25))).toMatchObject({ code: PROMISE, promise: { debt_id: 'd', amount: { amount_minor: 20_000, currency: 'MXN' } } });
  });
  it('asks for no more than is owed after a payment', () => {
    const least = (more: Partial<typeof debt>) => cardOf('a', file([{ ...debt, ...more }])).debts[0]?.minimum?.amount_minor;
    expect([least({ minimum_minor: 30_000 }), least({ minimum_minor: 50_000 }), least({ minimum_minor: 150_000, overdue_minor: 0 })]).toEqual([30_000, 40_000, 100_000]);
  });
  it('without an open debt takes no promise', () => {
    const card = cardOf('a', file([]));
    const outcome = new Outcome('a');
    outcome.code = PROMISE;
    const disposition = { code: PROMISE, label_es: '', label_en: '', rpc: true, is_final: false, required: ['promise'], hotkey: 1, agent_may_set: true };
    expect(outcome.body(card, disposition, 0)).toBeNull();
    expect(outcome.wrong).toBe('outcome.needIdentity');
  });
});
