// What a refused script says, in the words of the screen.
import { t, type Key } from '../lib/i18n.svelte';
import { wrongOf, type Wrong } from '../plans/terms';

/** What the server says → what is said here; the first group is the word or variable that may not stand there. */
const SAID: readonly [RegExp, Key][] = [
  [/stays polite.*\u201c(.+)\u201d/, 'guion.rude'],
  [/before identity nothing tells of the debt; found (.+)$/, 'guion.tells'],
  [/no variable (\{.*\}):/, 'guion.noVariable'],
  [/closing brace/, 'guion.brace'],
];

export function scriptWrong(error: unknown): Wrong {
  const said = (reason: string): string => {
    for (const [form, key] of SAID) {
      const found = form.exec(reason);
      if (found) return t(key, { what: found[1] ?? '' });
    }
    return reason;
  };
  return Object.fromEntries(Object.entries(wrongOf(error)).map(([path, reason]) => [path, said(reason)]));
}
