import { afterEach, expect, it } from 'vitest';
import es from '../../messages/es.json';
import { Problem, said } from './api';
import { setLang } from './i18n.svelte';

afterEach(() => setLang('es', false));

it('speaks the language of the screens', async () => {
  const wrong = new Problem(422, 'invalid', 'Invalid', 'to.number: phone: not valid', [{ path: 'to.number', reason: 'phone: not valid' }]);
  expect(said(wrong)).toBe(`${es['problem.invalid']} (to.number)`);
  await setLang('en', false);
  expect(said(wrong)).toBe('to.number: phone: not valid');
});

it('gives the words of the law', async () => {
  const refused = new Problem(409, 'refused', 'Refused', 'outside the window', [], { es: 'fuera del horario', en: 'outside the window' });
  expect(said(refused)).toBe('fuera del horario');
  await setLang('en', false);
  expect(said(refused)).toBe('outside the window');
});

it('says what it does not know', () => {
  expect(said(new Problem(418, 'teapot', '', 'short and stout'))).toContain('teapot');
  expect(said(new Problem(403, 'http_403', '', ''))).toBe(es['problem.forbidden']);
  expect(said(new Problem(0, 'offline', '', ''))).toBe(es['error.offline']);
  expect(said('text')).toBe('text');
});
