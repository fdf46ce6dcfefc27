// A segment's expression: the server's JSON form, its canonical text, and the rows in which it is built by hand.
// What rows cannot show is kept as it came (`Fixed`), so that rows and text always say the same.

export type Literal = boolean | number | string;
export type Op = '=' | '!=' | '<' | '<=' | '>' | '>=';
export type Expr =
  | 'all'
  | { and: Expr[] }
  | { or: Expr[] }
  | { not: Expr }
  | { cmp: { field: string; op: Op; value: Literal } }
  | { between: { field: string; from: number; to: number } }
  | { in: { field: string; values: Literal[] } }
  | { segment: { name: string; version?: number } };

export type Kind = 'text' | 'number' | 'money' | 'bool';
/** What can be asked about, as the server lists it. */
export interface Field {
  field: string;
  kind: Kind;
  group: string;
  es: string;
  en: string;
  words: { value: string; es: string; en: string }[] | null;
}

export type RowOp = Op | 'between' | 'in' | 'yes' | 'no';
/** A comparison; its values as they are typed. */
export interface Row {
  kind: 'row';
  id: number;
  not: boolean;
  field: string;
  op: RowOp;
  values: string[];
}
/** Who is in another segment; an empty version is the newest. */
export interface Within {
  kind: 'within';
  id: number;
  not: boolean;
  name: string;
  version: string;
}
export interface Group {
  kind: 'group';
  id: number;
  not: boolean;
  any: boolean;
  items: Node[];
}
/** A part that rows cannot show. */
export interface Fixed {
  kind: 'fixed';
  id: number;
  expr: Expr;
}
export type Node = Row | Within | Group | Fixed;

/** Groups inside groups that rows show; deeper ones stay text. */
export const DEPTH_MAX = 4;
/** Values of one list that rows show. */
export const LIST_MAX = 20;

let last = 0;
const id = (): number => ++last;

export const emptyGroup = (any = false): Group => ({ kind: 'group', id: id(), not: false, any, items: [] });
export const emptyWithin = (name = ''): Within => ({ kind: 'within', id: id(), not: false, name, version: '' });
export function emptyRow(field: Field): Row {
  const op = opsOf(field.kind)[0] ?? '=';
  return { kind: 'row', id: id(), not: false, field: field.field, op, values: blank(field, op) };
}

const OPS: Record<Kind, RowOp[]> = {
  text: ['=', '!=', 'in'],
  number: ['>=', '<=', '=', '!=', '>', '<', 'between', 'in'],
  money: ['>=', '<=', '=', '!=', '>', '<', 'between'],
  bool: ['yes', 'no'],
};
export const opsOf = (kind: Kind): RowOp[] => OPS[kind];

/** Values that a row of an operator begins with. */
function blank(field: Field, op: RowOp): string[] {
  if (op === 'yes' || op === 'no') return [];
  const first = field.words?.[0]?.value ?? '';
  return op === 'between' ? [first, first] : [first];
}

/** The row with another field: its operator and values stay where they fit. */
export function withField(row: Row, field: Field, before: Field | undefined): Row {
  const same = before?.kind === field.kind && !before.words && !field.words;
  if (same) return { ...row, field: field.field };
  return { ...emptyRow(field), id: row.id, not: row.not };
}

/** The row with another operator: what was typed stays where it fits. */
export function withOp(row: Row, field: Field, op: RowOp): Row {
  const fresh = blank(field, op);
  const kept = op === 'in' && row.values.length ? row.values : fresh.map((value, n) => row.values[n] ?? value);
  return { ...row, op, values: op === 'yes' || op === 'no' ? [] : kept };
}

export const hundredths = (value: number): string => {
  const size = Math.abs(value);
  return `${value < 0 ? '-' : ''}${Math.floor(size / 100)}.${String(size % 100).padStart(2, '0')}`;
};

/** What a typed value means for a field, or null where it is none. */
export function literal(field: Field, text: string): Literal | null {
  const plain = text.trim();
  if (field.kind === 'number') return /^-?\d{1,15}$/.test(plain) ? Number(plain) : null;
  if (field.kind === 'money') {
    const cut = /^(-?)(\d{1,12})(?:\.(\d{1,2}))?$/.exec(plain.replace(/,(?=\d{3}(?:\D|$))/g, ''));
    if (!cut) return null;
    const size = Number(cut[2]) * 100 + Number((cut[3] ?? '').padEnd(2, '0'));
    return cut[1] && size ? -size : size;
  }
  if (field.words) return field.words.some((word) => word.value === text) ? text : null;
  // An empty text is more likely one that is still to be written.
  return plain ? text : null;
}

function typed(field: Field, value: Literal): string | null {
  const text = typeof value === 'number' && field.kind === 'money' ? hundredths(value) : String(value);
  return literal(field, text) === value ? text : null;
}

/** The rows of an expression. */
export function rowsOf(expr: Expr, fields: ReadonlyMap<string, Field>): Group {
  if (expr === 'all') return emptyGroup();
  const node = nodeOf(expr, fields, 0);
  if (node.kind === 'group') return node;
  return { ...emptyGroup(), items: [node] };
}

function nodeOf(expr: Expr, fields: ReadonlyMap<string, Field>, depth: number): Node {
  const fixed = (): Fixed => ({ kind: 'fixed', id: id(), expr });
  if (expr === 'all') return fixed();
  if ('not' in expr) {
    const inner = nodeOf(expr.not, fields, depth);
    return inner.kind === 'fixed' || inner.not ? fixed() : { ...inner, not: true };
  }
  const parts = 'and' in expr ? expr.and : 'or' in expr ? expr.or : null;
  if (parts) {
    if (depth > DEPTH_MAX) return fixed();
    return { ...emptyGroup('or' in expr), items: parts.map((part) => nodeOf(part, fields, depth + 1)) };
  }
  if ('segment' in expr) return { ...emptyWithin(expr.segment.name), version: String(expr.segment.version ?? '') };
  return leafOf(expr, fields) ?? fixed();
}

function leafOf(expr: Expr, fields: ReadonlyMap<string, Field>): Row | null {
  const row = (name: string, op: RowOp, values: Literal[]): Row | null => {
    const field = fields.get(name);
    if (!field || values.length > LIST_MAX || !opsOf(field.kind).includes(op)) return null;
    const texts = values.map((value) => typed(field, value));
    if (texts.some((text) => text === null)) return null;
    return { kind: 'row', id: id(), not: false, field: name, op, values: texts as string[] };
  };
  if (typeof expr !== 'object') return null;
  if ('cmp' in expr) {
    const { field, op, value } = expr.cmp;
    if (typeof value !== 'boolean') return row(field, op, [value]);
    return op === '=' ? row(field, value ? 'yes' : 'no', []) : null;
  }
  if ('between' in expr) return row(expr.between.field, 'between', [expr.between.from, expr.between.to]);
  if ('in' in expr) return row(expr.in.field, 'in', expr.in.values);
  return null;
}

/** What is wrong with a row or segment: `value` = still without one, or none of this kind; `order` = the greater value stands first. */
export type Fault = 'value' | 'order' | null;
export function faultOf(node: Row | Within, fields: ReadonlyMap<string, Field>): Fault {
  if (node.kind === 'within') return node.name && /^([1-9]\d{0,8})?$/.test(node.version.trim()) ? null : 'value';
  const field = fields.get(node.field);
  const values = field ? node.values.map((text) => literal(field, text)) : [null];
  if (!field || (node.op === 'in' && !values.length) || values.some((value) => value === null)) return 'value';
  return node.op === 'between' && Number(values[0]) > Number(values[1]) ? 'order' : null;
}

/** The expression of rows, and how many of them do not count yet. Without rows everybody is meant; with none that counts, null. */
export function exprOf(root: Group, fields: ReadonlyMap<string, Field>): { expr: Expr | null; waiting: number } {
  let waiting = 0;
  const of = (node: Node): Expr | null => {
    if (node.kind === 'fixed') return node.expr;
    const inner = node.kind === 'group' ? group(node) : leaf(node);
    return inner === null || !node.not ? inner : negated(inner);
  };
  const group = (node: Group): Expr | null => {
    const parts = node.items.map(of).filter((part): part is Expr => part !== null);
    if (parts.length < 2) return parts[0] ?? null;
    return node.any ? { or: parts } : { and: parts };
  };
  const leaf = (node: Row | Within): Expr | null => {
    if (faultOf(node, fields)) {
      waiting += 1;
      return null;
    }
    if (node.kind === 'within') return { segment: { name: node.name, ...(node.version.trim() ? { version: Number(node.version) } : {}) } };
    const field = fields.get(node.field) as Field;
    const values = node.values.map((text) => literal(field, text) as Literal);
    return compared(node, values);
  };
  const expr = of(root);
  return { expr: expr ?? (root.items.length ? null : 'all'), waiting };
}

const negated = (expr: Expr): Expr => (typeof expr === 'object' && 'not' in expr ? expr.not : { not: expr });

function compared({ field, op }: Row, values: Literal[]): Expr {
  if (op === 'yes' || op === 'no') return { cmp: { field, op: '=', value: op === 'yes' } };
  if (op === 'between') return { between: { field, from: Number(values[0]), to: Number(values[1]) } };
  if (op === 'in') return { in: { field, values } };
  return { cmp: { field, op, value: values[0] as Literal } };
}

/** The canonical text form, as the server prints it. */
export function print(expr: Expr, fields: ReadonlyMap<string, Field>): string {
  const money = (field: string): boolean => fields.get(field)?.kind === 'money';
  const value = (field: string, v: Literal): string => {
    if (typeof v === 'boolean') return v ? 'yes' : 'no';
    if (typeof v === 'number') return money(field) ? hundredths(v) : String(v);
    return quoted(v);
  };
  const strength = (e: Expr): number => (typeof e !== 'object' ? 4 : 'or' in e ? 1 : 'and' in e ? 2 : 'not' in e ? 3 : 4);
  const plain = (e: Expr): string => {
    if (e === 'all') return 'all';
    if ('and' in e) return e.and.map((part) => within(part, 2)).join(' and ');
    if ('or' in e) return e.or.map((part) => within(part, 1)).join(' or ');
    if ('not' in e) return `not ${within(e.not, 2)}`;
    if ('segment' in e) return `segment ${quoted(e.segment.name)}${e.segment.version ? ` version ${e.segment.version}` : ''}`;
    if ('between' in e) return `${e.between.field} between ${value(e.between.field, e.between.from)} and ${value(e.between.field, e.between.to)}`;
    if ('in' in e) return `${e.in.field} in (${e.in.values.map((v) => value(e.in.field, v)).join(', ')})`;
    if (e.cmp.op === '=' && e.cmp.value === true) return e.cmp.field;
    return `${e.cmp.field} ${e.cmp.op} ${value(e.cmp.field, e.cmp.value)}`;
  };
  const within = (e: Expr, least: number): string => (strength(e) <= least ? `(${plain(e)})` : plain(e));
  return plain(expr);
}

const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/** Parts that rows do not show, anywhere in them. */
export function fixedIn(node: Node): number {
  if (node.kind === 'fixed') return 1;
  return node.kind === 'group' ? node.items.reduce((sum, item) => sum + fixedIn(item), 0) : 0;
}
