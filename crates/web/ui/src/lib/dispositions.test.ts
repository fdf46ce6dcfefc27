import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { dispositionName, given, learn } from './dispositions.svelte';
import { setLang } from './i18n.svelte';

const TREE = [
  { code: 'CD.NP', label_es: 'Negativa de pago', label_en: 'Refusal to pay' },
  { code: 'CD.NP.NOQUIERE', label_es: 'No quiere pagar', label_en: 'Will not pay' },
];
beforeEach(() => void vi.stubGlobal('fetch', () => new Promise(() => undefined)));
afterEach(async () => {
  vi.unstubAllGlobals();
  await setLang('es', false);
});

it('shows the code as long as nobody has told its name, and then the name', async () => {
  expect(dispositionName(null)).toBe('–');
  expect(dispositionName('CD.NP.NOQUIERE')).toBe('CD.NP.NOQUIERE');
  learn(TREE);
  expect(dispositionName('CD.NP.NOQUIERE')).toBe('No quiere pagar');
  expect(dispositionName('CD.NP.RETIRADA')).toBe('Negativa de pago');
  expect(dispositionName('XX')).toBe('XX');
  await setLang('en', false);
  expect(dispositionName('CD.NP.NOQUIERE')).toBe('Will not pay');
});

it('gives an agent the codes of his campaign', () => {
  expect(given(TREE, null)).toEqual(TREE);
  expect(given(TREE, undefined)).toEqual(TREE);
  expect(given(TREE, ['CD.NP']).map((d) => d.code)).toEqual(['CD.NP', 'CD.NP.NOQUIERE']);
  expect(given(TREE, ['CD.NP.NOQUIERE', 'CD.NC']).map((d) => d.code)).toEqual(['CD.NP.NOQUIERE']);
});

it('hides leaves that tell what may not be asked, and keeps the code itself', () => {
  expect(given(TREE, null, ['CD.NP']).map((d) => d.code)).toEqual(['CD.NP']);
  expect(given(TREE, ['CD.NP.NOQUIERE'], ['CD.NP'])).toEqual([]);
});
