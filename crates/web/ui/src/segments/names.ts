// Words of fields and operators on the screens; fields have theirs from the server.
import { both, t } from '../lib/i18n.svelte';
import { bucketWord, keyOf, type AgeBucket } from '../plans/ageing';
import type { Field, RowOp } from './expr';

const first = (text: string): string => text.charAt(0).toLocaleUpperCase() + text.slice(1);
export const fieldName = (field: Field): string => first(both(field));

export function opName(op: RowOp): string {
  switch (op) {
    case '=':
      return t('seg.op.eq');
    case '!=':
      return t('seg.op.ne');
    case '<':
      return t('seg.op.lt');
    case '<=':
      return t('seg.op.le');
    case '>':
      return t('seg.op.gt');
    case '>=':
      return t('seg.op.ge');
    case 'between':
      return t('seg.op.between');
    case 'in':
      return t('seg.op.in');
    case 'yes':
      return t('seg.op.yes');
    case 'no':
      return t('seg.op.no');
  }
}

/** Fields by what they are about, in the server's order. */
export function grouped(fields: ReadonlyMap<string, Field>): [string, Field[]][] {
  const groups = new Map<string, Field[]>();
  for (const field of fields.values()) {
    const list = groups.get(field.group);
    if (list) list.push(field);
    else groups.set(field.group, [field]);
  }
  return [...groups];
}

/** The fields with the buckets of the client's set, and behind them those of the standard set that are no others: a
 * segment that names one of those goes on to mean its days. */
export function withBuckets(fields: readonly Field[], set: readonly AgeBucket[]): Field[] {
  const own = set.map(keyOf);
  return fields.map((field) => {
    if (field.field !== 'bucket' || !field.words) return field;
    return { ...field, words: [...set.map(bucketWord), ...field.words.filter((w) => !own.includes(w.value))] };
  });
}
