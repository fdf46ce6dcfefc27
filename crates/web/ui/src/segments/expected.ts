// What a segment may be expected to bring, as it is written beside its balance.
import type { Preview } from '../campaigns/types';
import { amount, sums, type Sum } from '../lib/format';

export interface Written {
  /** The amounts; a dash where nothing is known of any of the debts. */
  figure: string;
  known: boolean;
  /** Balances of which nothing is known, and those weighed by the share of all clients; empty where there are none. */
  unknown: string;
  borrowed: string;
}

const some = (list: Sum[]): string => (list.some(([, minor]) => minor !== 0) ? sums(list) : '');

export function written(count: Preview['count']): Written {
  const told = count.expected.flatMap((e): Sum[] => (e.amount_minor === null ? [] : [[e.currency, e.amount_minor]]));
  const first = told[0];
  // Known to bring nothing is a figure, too.
  const nothing = first ? amount(0, first[0], true) : '—';
  return {
    figure: some(told) || nothing,
    known: told.length > 0,
    unknown: told.length ? some(count.expected.map((e) => [e.currency, e.unknown_minor])) : '',
    borrowed: some(count.expected.map((e) => [e.currency, e.borrowed_minor])),
  };
}
