import { render } from 'svelte/server';
import { afterEach, describe, expect, it } from 'vitest';
import { Problem } from '../lib/api';
import { setLang } from '../lib/i18n.svelte';
import { ageingWords, bucketName, BUCKETS_MAX, bucketWord, endOn, keysOf, MICRO, setOf, STANDARD, without, withOneMore } from './ageing';
import { fixedIn, rowsOf, type Expr, type Field } from '../segments/expr';
import language from '../segments/language.json';
import { withBuckets } from '../segments/names';
import { BUCKETS, wrongOf, type Terms } from './terms';
import TermsAgeing from './TermsAgeing.svelte';

/** Days that no bucket or two of them have; the first one is everything not past due. */
const whole = (set: ReturnType<typeof setOf>): boolean =>
  set[0]?.from === null && set.at(-1)?.to === null && set.slice(1).every((b, n) => b.from === Number(set[n]?.to) + 1);

describe('a set of buckets', () => {
  afterEach(() => setLang('es', false));
  it('is named by its days', () => {
    expect(keysOf(setOf(STANDARD))).toEqual([...BUCKETS]);
    expect(keysOf(setOf(MICRO))).toEqual(['preventive', 'b1_7', 'b8_30', 'b31_60', 'b61_90', 'b91_plus']);
    expect(whole(setOf(MICRO))).toBe(true);
  });
  it('has no gap and no overlap, whatever is changed', () => {
    const later = endOn(setOf(MICRO), 1, 10);
    expect(keysOf(later).slice(0, 3)).toEqual(['preventive', 'b1_10', 'b11_30']);
    const more = withOneMore(later);
    expect(keysOf(more).slice(-2)).toEqual(['b91_120', 'b121_plus']);
    const less = without(more, 2);
    expect(keysOf(less).slice(0, 3)).toEqual(['preventive', 'b1_30', 'b31_60']);
    expect(keysOf(without(less, less.length - 1)).at(-1)).toBe('b91_plus');
    expect([later, more, less].map(whole)).toEqual([true, true, true]);
    expect(without(less, 1)).toEqual(less);
    let full = setOf(MICRO);
    for (let n = 0; n < BUCKETS_MAX; n += 1) full = withOneMore(full);
    expect(full).toHaveLength(BUCKETS_MAX);
  });
  it('is told by the client’s names, else by days', () => {
    expect(bucketName('b31_60')).toBe('31–60');
    expect(bucketName('b8_30')).toBe('8–30');
    expect(bucketName('b91_plus')).toBe('91+');
    expect(bucketName('b8_30', 'Temprana')).toBe('Temprana');
    expect(bucketName('preventive')).toBe('Preventiva');
    expect(bucketName(undefined)).toBe('–');
    expect(bucketWord({ label: 'Temprana', from: 8, to: 30 })).toEqual({ value: 'b8_30', es: 'Temprana (8 a 30 días)', en: 'Temprana (8 to 30 days)' });
    expect(bucketWord({ label: '', from: 91, to: null }).es).toBe('más de 90 días');
  });
  it('is what a segment can pick from, and any other bucket there stays as it was', () => {
    const known = language.fields as Field[];
    const fields = new Map(withBuckets(known, setOf(MICRO)).map((f) => [f.field, f]));
    const values = fields.get('bucket')?.words?.map((w) => w.value) ?? [];
    expect(values.slice(0, 6)).toEqual(keysOf(setOf(MICRO)));
    expect(values.slice(6)).toEqual(['b1_30', 'b91_120', 'b121_180', 'b181_360', 'b361_plus']);
    const asked = (value: string): Expr => ({ cmp: { field: 'bucket', op: '=', value } });
    expect(['b8_30', 'b1_30', 'b3_4'].map((value) => fixedIn(rowsOf(asked(value), fields)))).toEqual([0, 0, 1]);
    expect(fields.get('stage')).toBe(known.find((f) => f.field === 'stage'));
  });
  it('is drawn as a form, and refused at its place', async () => {
    const terms = { ageing: setOf(MICRO) } as unknown as Terms;
    const drawn = (wrong: Record<string, string>, readonly = false): string => render(TermsAgeing, { props: { terms, wrong, readonly } }).body;
    const body = drawn({ 'ageing[2].to': 'Entre 8 y 3650', 'offers[0].buckets': 'no' });
    expect(body).toContain('data-bucket="b8_30"');
    expect(body).toContain('Entre 8 y 3650');
    expect(body).not.toContain('>no<');
    expect(body.split('type="number"').length - 1).toBe(4);
    expect(drawn({}, true)).not.toContain('<button');
    const refused = new Problem(422, 'invalid', 'Invalid', '', [{ path: 'terms.ageing[2].to', reason: 'expected day 8 to 3650' }, { path: 'terms.offers[0].buckets', reason: 'expected some of preventive, b1_7' }]);
    expect(wrongOf(refused)['ageing[2].to']).toBe('Entre 8 y 3650');
    expect(wrongOf(refused)['offers[0].buckets']).toBe(ageingWords('expected some of preventive, b1_7'));
    await setLang('en', false);
    expect(drawn({})).toContain('Microfinance');
  });
});
