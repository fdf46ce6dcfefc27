// Lists whose order says what comes first, and figures that may be left to somebody else.

/** The list with that key at that place, or without the place. */
export function placed(list: readonly string[], at: number, key: string): string[] {
  const keys = [...list];
  if (key) keys[at] = key;
  else keys.splice(at, 1);
  return keys.filter((k, i) => keys.indexOf(k) === i);
}

/** An empty field is no figure of our own: the law's, the trunk's or the automatic one holds. */
export const figureOrNone = (input: Pick<HTMLInputElement, 'value' | 'valueAsNumber'>): number | null => (input.value === '' || Number.isNaN(input.valueAsNumber) ? null : input.valueAsNumber);

export interface Choice {
  key: string;
  label: string;
}
/** What may be chosen, and what is chosen though it is there no more: else it would leave the campaign unseen. */
export function choicesWith(known: readonly Choice[], chosen: readonly string[], gone: (key: string) => string): Choice[] {
  const there = new Set(known.map((c) => c.key));
  return [...known, ...chosen.filter((key) => !there.has(key)).map((key) => ({ key, label: gone(key) }))];
}
