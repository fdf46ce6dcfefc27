import { afterAll, describe, expect, it } from 'vitest';
import en from '../../messages/en.json';
import es from '../../messages/es.json';
import { firstLang, setLang, t, tn, word } from './i18n.svelte';

const names = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map((m) => m[1]).sort();

describe('catalogues', () => {
  it('have the same keys', () => {
    expect(Object.keys(en).sort()).toEqual(Object.keys(es).sort());
  });
  it('use the same values in each message', () => {
    for (const [key, text] of Object.entries(es)) expect(names((en as Record<string, string>)[key] ?? ''), key).toEqual(names(text));
  });
  it('have no empty message and both forms of each plural', () => {
    for (const [key, text] of [...Object.entries(es), ...Object.entries(en)]) expect(text.trim(), key).not.toBe('');
    for (const key of Object.keys(es).filter((k) => k.endsWith('_one'))) expect(Object.keys(es)).toContain(key.replace(/_one$/, '_other'));
  });
});

describe('language', () => {
  afterAll(() => setLang('es', false));
  it('is the stored one, then the browser’s, then Spanish', () => {
    expect(firstLang('en', ['es-MX'])).toBe('en');
    expect(firstLang(null, ['pt-BR', 'en-GB'])).toBe('en');
    expect(firstLang('xx', ['fr'])).toBe('es');
  });
  it('changes words, plurals and code lists; an unknown code is shown as it is', async () => {
    await setLang('es', false);
    expect(tn('card.days', 1)).toBe('1 día de mora');
    expect(tn('card.days', 47)).toBe('47 días de mora');
    expect(word('state', 'wrapup')).toBe('Tipificando');
    expect(word('state', 'flying')).toBe('flying');
    await setLang('en', false);
    expect(tn('card.days', 47)).toBe('47 days past due');
    expect(t('kpi.ofAgents', { n: 3 })).toBe('of 3 agents');
  });
});
