import { expect, it } from 'vitest';
import { Problem } from '../lib/api';
import { alwaysGiven, inWords, outdated, settingName, shown, switchedIn } from './choices';

it('keeps each entry once, and a code instead of its leaves', () => {
  expect(switchedIn(['CD.PP'], 'CD.VL')).toEqual(['CD.PP', 'CD.VL']);
  expect(switchedIn(['CD.PP', 'CD.VL'], 'CD.PP')).toEqual(['CD.VL']);
  expect(switchedIn(['CD.NP.NOPUEDE', 'CD.VL'], 'CD.NP', ['CD.NP.NOPUEDE', 'CD.NP.NOQUIERE'])).toEqual(['CD.VL', 'CD.NP']);
});

it('leaves codes that stop contact to every agent', () => {
  const given = (code: string, hold: string | null) => alwaysGiven({ code, hold });
  expect([given('CD.NC', 'cease'), given('CI.EQ', null), given('CD.PP', null)]).toEqual([true, true, false]);
});

it('tells what publishing an old draft would take back, and nothing of other refusals', () => {
  const differs = [{ field: 'params.weight', began: 50, published: 60, draft: 50 }];
  const told = new Problem(409, 'draft_outdated', '', 'x', [], null, { began_from: 3, published: 5, differs });
  expect(outdated(told)).toEqual({ began_from: 3, published: 5, differs });
  expect(outdated(new Problem(409, 'draft_outdated', '', 'x', [], null, { began_from: null, published: 5, differs }))?.began_from).toBeNull();
  expect(outdated(new Problem(409, 'wrong_state', '', 'x'))).toBeNull();
  expect(outdated(new Error('x'))).toBeNull();
});

it('writes any value in one line', () => {
  expect([shown(null), shown(40), shown('09:00'), shown(['a']), shown('')]).toEqual(['–', '40', '09:00', '["a"]', '–']);
  expect(shown('x'.repeat(300))).toHaveLength(120);
});

it('says of a setting what the form says of it', () => {
  const names = new Map([['s-1', 'Mora temprana']]);
  expect(settingName('params.weight')).toBe('Peso entre iguales (0 a 100)');
  expect(settingName('segment_id')).toBe('Segmento');
  expect(settingName('params.stat_windows')).toBe('stat_windows');
  expect(inWords('segment_id', 's-1', names)).toBe('Mora temprana');
  expect(inWords('params.drop_action', 'hangup', names)).toBe('Colgar');
  expect(inWords('params.card_first', false, names)).toBe('no');
  expect(inWords('params.skills', ['legal', 'en'], names)).toBe('legal, en');
  expect([inWords('params.skills', [], names), inWords('script_id', null, names), inWords('params.weight', 40, names)]).toEqual(['–', '–', '40']);
});
