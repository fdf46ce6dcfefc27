import { describe, expect, it } from 'vitest';
import { DEPTH_MAX, emptyGroup, emptyRow, emptyWithin, exprOf, faultOf, fixedIn, LIST_MAX, literal, print, rowsOf, withField, withOp, type Expr, type Field, type Group, type Node } from './expr';
import language from './language.json';

const fields = new Map((language.fields as Field[]).map((f) => [f.field, f]));
const field = (name: string): Field => fields.get(name) as Field;
/** Without the numbers by which the screen tells rows apart. */
const plain = (node: Node): unknown => JSON.parse(JSON.stringify(node, (key, value: unknown) => (key === 'id' ? undefined : value)));

describe('the written set of the server', () => {
  const examples = language.examples as { text: string; expr: Expr }[];
  it.each(examples)('$text is printed as the server prints it', ({ text, expr }) => {
    expect(print(expr, fields)).toBe(text);
  });
  it.each(examples)('$text goes through rows and back', ({ text, expr }) => {
    const rows = rowsOf(expr, fields);
    expect(fixedIn(rows)).toBe(0);
    expect(exprOf(rows, fields)).toEqual({ expr, waiting: 0 });
    expect(print(exprOf(rows, fields).expr as Expr, fields)).toBe(text);
    expect(plain(rowsOf(exprOf(rows, fields).expr as Expr, fields))).toEqual(plain(rows));
  });
  it('asks every field, and each can be a row', () => {
    const asked = new Set(examples.flatMap(({ text }) => text.match(/\w+/g) ?? []));
    for (const f of fields.values()) expect(asked, f.field).toContain(f.field);
  });
});

describe('rows', () => {
  it('of nothing are everybody', () => {
    expect(exprOf(emptyGroup(), fields)).toEqual({ expr: 'all', waiting: 0 });
    expect(rowsOf('all', fields).items).toEqual([]);
  });
  it('without a value do not count, and no count is not everybody', () => {
    const row = emptyRow(field('balance'));
    const group: Group = { ...emptyGroup(), items: [row] };
    expect(faultOf(row, fields)).toBe('value');
    expect(exprOf(group, fields)).toEqual({ expr: null, waiting: 1 });
    const both: Group = { ...group, items: [row, { ...emptyRow(field('on_hold')), not: true }] };
    expect(exprOf(both, fields)).toEqual({ expr: { not: { cmp: { field: 'on_hold', op: '=', value: true } } }, waiting: 1 });
  });
  it('nest by all, any and not', () => {
    const money = { ...emptyRow(field('balance')), values: ['1,000.5'] };
    const held = emptyRow(field('on_hold'));
    const inner: Group = { ...emptyGroup(true), not: true, items: [held, { ...emptyWithin('Norte'), version: '2' }] };
    const { expr } = exprOf({ ...emptyGroup(), items: [money, inner] }, fields);
    expect(print(expr as Expr, fields)).toBe("balance >= 1000.50 and not (on_hold or segment 'Norte' version 2)");
  });
  it('of a group with one part are that part; not of not is the part', () => {
    const inner: Group = { ...emptyGroup(true), not: true, items: [{ ...emptyRow(field('on_hold')), not: true }] };
    expect(exprOf({ ...emptyGroup(), items: [inner] }, fields).expr).toEqual({ cmp: { field: 'on_hold', op: '=', value: true } });
  });
  it('know when the greater value stands first', () => {
    const row = { ...withOp(emptyRow(field('days_past_due')), field('days_past_due'), 'between'), values: ['60', '31'] };
    expect(faultOf(row, fields)).toBe('order');
    expect(faultOf({ ...row, values: ['31', '60'] }, fields)).toBeNull();
  });
  it('keep what was typed where it fits', () => {
    const row = { ...emptyRow(field('balance')), values: ['100'] };
    expect(withField(row, field('overdue'), field('balance')).values).toEqual(['100']);
    expect(withField(row, field('on_hold'), field('balance'))).toMatchObject({ op: 'yes', values: [] });
    expect(withOp(row, field('balance'), 'between').values).toEqual(['100', '']);
    const bucket = emptyRow(field('bucket'));
    expect(bucket.values).toEqual(['preventive']);
    expect(withField(bucket, field('stage'), field('bucket')).values).toEqual(['preventive']);
    expect(withField({ ...bucket, values: ['b1_30'] }, field('stage'), field('bucket')).values).toEqual(['preventive']);
  });
});

describe('what rows cannot show', () => {
  const leaf: Expr = { cmp: { field: 'on_hold', op: '=', value: true } };
  const kept = (expr: Expr): number => {
    const rows = rowsOf(expr, fields);
    expect(exprOf(rows, fields)).toEqual({ expr, waiting: 0 });
    return fixedIn(rows);
  };
  it('is kept as it came and counted', () => {
    expect(kept({ not: { not: leaf } })).toBe(1);
    expect(kept({ and: [leaf, 'all'] })).toBe(1);
    expect(kept({ cmp: { field: 'on_hold', op: '!=', value: true } })).toBe(1);
    expect(kept({ cmp: { field: 'zone', op: '=', value: '' } })).toBe(1);
    expect(kept({ cmp: { field: 'of_a_newer_server', op: '=', value: 1 } })).toBe(1);
    expect(kept({ or: [leaf, { in: { field: 'attempts', values: Array.from({ length: LIST_MAX + 1 }, (_, n) => n) } }] })).toBe(1);
  });
  it('is what lies deeper than rows go', () => {
    const deep = (levels: number): Expr => (levels === 0 ? leaf : { [levels % 2 ? 'and' : 'or']: [leaf, deep(levels - 1)] } as unknown as Expr);
    expect(kept(deep(DEPTH_MAX + 1))).toBe(0);
    expect(kept(deep(DEPTH_MAX + 2))).toBe(1);
  });
});

it('values are read as their field wants them', () => {
  expect(literal(field('attempts'), ' 12 ')).toBe(12);
  expect(literal(field('attempts'), '1.5')).toBeNull();
  expect(literal(field('attempts'), '')).toBeNull();
  expect(literal(field('balance'), '1,234,567.8')).toBe(123456780);
  expect(literal(field('balance'), '-0.01')).toBe(-1);
  expect(literal(field('balance'), '1.234')).toBeNull();
  expect(literal(field('balance'), '12 000')).toBeNull();
  expect(literal(field('bucket'), 'b1_31')).toBeNull();
  expect(literal(field('last_result'), '')).toBe('');
  expect(literal(field('city'), "L'Alfàs")).toBe("L'Alfàs");
  expect(print({ cmp: { field: 'city', op: '=', value: "L'Alfàs" } }, fields)).toBe("city = 'L''Alfàs'");
});
