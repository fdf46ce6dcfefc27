import { describe, expect, it } from 'vitest';
import type { CardObjection } from '../lib/wire';
import { found, reached } from './objections';

const one = (key: string, title: string, answer: string): CardObjection => ({ key, title, answer, before_identity: false, excuse: null });
const ALL = [one('a', 'No tengo dinero', 'Busquemos una fecha.'), one('b', 'Ya pagué', 'Gracias: ¿en qué fecha pagó?'), one('c', 'No reconozco la deuda', 'Tiene derecho a aclararlo.')];

describe('objections on the card row_22', () => {
  it('are found by any words, without accents or capitals', () => {
    expect(found(ALL, '').map((o) => o.key)).toEqual(['a', 'b', 'c']);
    expect(found(ALL, 'PAGUE').map((o) => o.key)).toEqual(['b']);
    expect(found(ALL, 'no deuda').map((o) => o.key)).toEqual(['c']);
    expect(found(ALL, 'nada de esto')).toEqual([]);
  });
  it('found by what he says stand before those found by the answer', () => {
    expect(found([one('x', 'Otra', 'ya pagué'), ...ALL], 'pague').map((o) => o.key)).toEqual(['b', 'x']);
  });
});

describe('a negotiation row_22', () => {
  const money = (amount_minor: number) => ({ amount_minor, currency: 'MXN' });
  it('ends with its result against its goal', () => {
    const said = reached({ negotiation: { goal: money(100_000), reached: money(50_000), pct_bp: 5_000 } });
    expect(said).toMatch(/500\.00.*1,000\.00.*50\s?%/);
  });
  it('says nothing where nothing was negotiated', () => {
    expect([reached(null), reached({}), reached({ negotiation: null })]).toEqual(['', '', '']);
  });
});
