import { describe, expect, it } from 'vitest';
import es from '../../messages/es.json';
import { Problem } from '../lib/api';
import { draftOf, inWords, newCap, newWindow, published, wrongOf, type ContractTerms } from './contract';

const asked: ContractTerms = {
  strict_mode: true,
  windows: [{ days: ['mon', 'sat'], from: '09:00', to: '24:00', channels: ['call', 'sms'] }],
  caps: [
    { id: 'tries', scope: 'person', counts: 'attempt', limit: 3, window: { rolling_days: 7 }, channels: ['call'], min_gap_days: 2, source: 'Cláusula 7' },
    { id: 'talks', scope: 'creditor_person', counts: 'conversation', limit: 1, window: { calendar_week: 'mon' }, channels: ['call'], min_gap_days: null, source: null },
    { id: 'today', scope: 'debt', counts: 'message', limit: 2, window: { calendar_day: 1 }, channels: ['sms'], min_gap_days: null, source: null },
  ],
};

describe('a draft of a contract', () => {
  it('goes to the form and back unchanged, each form of a period too', () => {
    expect(published(draftOf(asked))).toEqual({ terms: asked, wrong: null });
  });
  it('shows the end of a day as midnight and leaves what was read as it was', () => {
    const draft = draftOf(asked);
    expect(draft.windows[0]?.to).toBe('00:00');
    draft.windows[0]?.days.push('sun');
    expect(asked.windows[0]?.days).toEqual(['mon', 'sat']);
  });
  it('keeps the order of the week and takes spaces from names', () => {
    const draft = draftOf(asked);
    Object.assign(draft.windows[0]!, { days: ['sat', 'mon'] });
    Object.assign(draft.caps[0]!, { id: ' tries ', source: '  ' });
    const { terms } = published(draft);
    expect(terms?.windows[0]?.days).toEqual(['mon', 'sat']);
    expect(terms?.caps[0]).toMatchObject({ id: 'tries', source: null });
  });
  it('refuses an empty figure at its field: it is none, and never zero', () => {
    const cap = { ...newCap([]), period: 'rolling_days' };
    const { terms, wrong } = published({ strict_mode: false, windows: [], caps: [cap] });
    expect(terms).toBeNull();
    expect(wrong).toEqual({ 'caps[0].limit': es['contract.needed'], 'caps[0].window': es['contract.needed'] });
    const filled = published({ strict_mode: false, windows: [], caps: [{ ...cap, limit: 3, days: 7 }] });
    expect(filled.terms?.caps[0]).toMatchObject({ limit: 3, window: { rolling_days: 7 }, min_gap_days: null });
  });
  it('refuses what is no whole number, and what names no day and no channel', () => {
    const cap = { ...newCap([]), limit: 0, gap: 1.5, channels: [] };
    const line = { ...newWindow(), days: [], channels: [], from: '', to: '' };
    const { wrong } = published({ strict_mode: false, windows: [line], caps: [cap] });
    expect(wrong).toEqual({
      'caps[0].limit': es['contract.whole'],
      'caps[0].min_gap_days': es['contract.whole'],
      'caps[0].channels': es['contract.pickOne'],
      'windows[0].days': es['contract.pickOne'],
      'windows[0].channels': es['contract.pickOne'],
      'windows[0].from': es['contract.needed'],
      'windows[0].to': es['contract.needed'],
    });
  });
  it('gives a new cap a name that is free', () => {
    const first = newCap([]);
    expect(newCap([first]).id).not.toBe(first.id);
    const second = { ...first, id: 'cap_2' };
    expect(newCap([second]).id).toBe('cap_3');
  });
});

it('tells a refusal of the server at its field', () => {
  const said = (path: string, reason: string) => wrongOf(new Problem(422, 'invalid', '', '', [{ path, reason }]));
  expect(said('terms.caps[0].window', 'rolling_days: expected 1 to 45')).toEqual({ 'caps[0].window': es['terms.range'].replace('{a}', '1').replace('{b}', '45') });
  expect(said('terms.caps[0].source', 'expected 1 to 120 characters')).toEqual({ 'caps[0].source': es['terms.chars'].replace('{a}', '1').replace('{b}', '120') });
  expect(said('terms.caps[1].id', "'a' stands twice")).toEqual({ 'caps[1].id': es['contract.twice'] });
  expect(said('terms.caps[1].id', 'expected 1 to 40 of a–z, 0–9 and _, and not windows')).toEqual({ 'caps[1].id': es['contract.idForm'] });
  expect(said('terms.windows[0].to', 'expected a time after from, on the same day')).toEqual({ 'windows[0].to': es['contract.after'] });
  expect(said('terms.windows', 'expected at most 49')).toEqual({ windows: es['contract.most'].replace('{n}', '49') });
  expect(said('terms', 'something new')).toEqual({ terms: 'something new' });
  expect(wrongOf(new Problem(409, 'conflict', '', ''))).toEqual({});
});

describe('in words', () => {
  it('says each rule in a sentence', () => {
    const [strict, hours, tries, talks] = inWords(asked);
    expect(strict).toBe(es['contract.strictWords']);
    expect(hours).toBe('llamada, SMS: lu, sá, de 09:00 a 24:00');
    expect(tries).toBe('A lo más 3 (intentos) por persona, con cualquier mandante, en 7 días seguidos: llamada · 2 días entre una y otra · Cláusula 7');
    expect(talks).toBe('A lo más 1 (conversaciones) por persona, con este mandante, en la semana, de lunes a domingo: llamada');
  });
  it('says nothing of a contract that asks nothing', () => {
    expect(inWords({ strict_mode: false, windows: [], caps: [] })).toEqual([]);
  });
});
