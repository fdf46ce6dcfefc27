// Names of dispositions: the client's own leaves are in the server's tree, which is read when the first name is wanted.
import { api } from './api';
import { both } from './i18n.svelte';

export interface Named {
  code: string;
  label_es: string;
  label_en: string;
}

/** Until the tree is asked for again where it could not be read, ms. */
const AGAIN_MS = 30_000;
let names = $state.raw<ReadonlyMap<string, Named>>(new Map());
let asked = -AGAIN_MS;

export function learn(tree: readonly Named[]): void {
  names = new Map(tree.map((one) => [one.code, one]));
}

function read(): void {
  if (names.size || performance.now() - asked < AGAIN_MS) return;
  asked = performance.now();
  api.get<{ items: Named[] }>('/dispositions').then(
    ({ items }) => learn(items),
    () => undefined,
  );
}

/** The code of level 2 that a code stands under. */
export const upper = (code: string): string => code.split('.').slice(0, 2).join('.');

/** The codes that a campaign gives its agents, of level 2 with their leaves or single leaves; null = the whole tree.
 * Of `hidden` codes the law hides the leaves. */
export function given<T extends { code: string }>(tree: readonly T[], codes: readonly string[] | null | undefined, hidden: readonly string[] = []): T[] {
  const open = tree.filter((d) => !hidden.includes(upper(d.code)) || hidden.includes(d.code));
  if (!codes) return open;
  return open.filter((d) => codes.includes(d.code) || codes.includes(upper(d.code)));
}

/** What a code is called; a leaf that is there no more as the code that it stood under. */
export function dispositionName(code: string | null | undefined): string {
  if (!code) return '–';
  read();
  const found = names.get(code) ?? names.get(upper(code));
  return found ? both({ es: found.label_es, en: found.label_en }) : code;
}
