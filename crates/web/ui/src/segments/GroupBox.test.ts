import { render } from 'svelte/server';
import { afterEach, describe, expect, it } from 'vitest';
import { setLang } from '../lib/i18n.svelte';
import { emptyGroup, emptyRow, rowsOf, type Expr, type Field, type Group } from './expr';
import GroupBox from './GroupBox.svelte';
import language from './language.json';

const fields = new Map((language.fields as Field[]).map((f) => [f.field, f]));
const drawn = (group: Group, segments: string[] = []): string => render(GroupBox, { props: { group, fields, segments, onchange: () => undefined } }).body;
const texts = (expr: Expr, segments: string[] = []): string => drawn(rowsOf(expr, fields), segments);
const count = (body: string, what: string): number => body.split(what).length - 1;

describe('a segment built by hand', () => {
  afterEach(() => setLang('es', false));
  it('shows each condition by its words, none by its code', () => {
    const body = texts({ and: [{ in: { field: 'bucket', values: ['b1_30', 'b31_60'] } }, { not: { cmp: { field: 'plan_state', op: '=', value: 'broken' } } }] });
    expect(count(body, 'data-row="')).toBe(2);
    expect(body).toContain('El tramo de mora');
    expect(body).toMatch(/checked=""[^>]*>\s*(<!---->)?1 a 30 días/);
    expect(body).toContain('31 a 60 días');
    expect(body).toContain('>roto<');
    expect(count(body, 'aria-pressed="true"')).toBe(1);
  });
  it('speaks English too', async () => {
    await setLang('en', false);
    const body = texts({ or: [{ between: { field: 'days_past_due', from: 31, to: 60 } }, { cmp: { field: 'callable_now', op: '=', value: true } }] });
    expect(body).toContain('The days past due');
    expect(body).toContain('data-group="any"');
    expect(body).toContain('May lawfully be called now');
  });
  it('is made of controls that a keyboard reaches, each with a name', () => {
    const body = texts({ and: [{ cmp: { field: 'balance', op: '>=', value: 100000 } }, { segment: { name: 'Norte' } }] }, ['Norte', 'Sur']);
    for (const control of body.match(/<(select|input|button)\b[^>]*>/g) ?? []) {
      expect(control).not.toContain('tabindex="-1"');
      if (/^<(select|input)/.test(control)) expect(control).toMatch(/aria-label=|placeholder=/);
      if (control.startsWith('<button')) expect(control).toContain('type="button"');
    }
    expect(body).toContain('value="1000.00"');
    expect(body).toContain('Norte');
  });
  it('has no group to name when there is no other segment', () => {
    expect(texts('all')).not.toContain('Segmento<');
    expect(texts('all')).toContain('Sin condiciones: todos los deudores.');
  });
  it('shows groups inside groups', () => {
    const leaf: Expr = { cmp: { field: 'on_hold', op: '=', value: true } };
    const body = texts({ and: [leaf, { not: { or: [leaf, leaf] } }] });
    expect(count(body, '<fieldset')).toBe(2);
    expect(body).toContain('Quitar grupo');
  });
  it('says which row has no value yet and which part is only in the text', () => {
    const waiting = drawn({ ...emptyGroup(), items: [emptyRow(fields.get('balance') as Field)] });
    expect(waiting).toContain('data-fault="value"');
    const fixed = texts({ and: [{ cmp: { field: 'on_hold', op: '=', value: true } }, { not: { not: { cmp: { field: 'on_hold', op: '=', value: true } } } }] });
    expect(fixed).toContain('data-row="fixed"');
    expect(fixed).toContain('not not on_hold');
    expect(fixed).toContain('solo en el texto');
  });
});
