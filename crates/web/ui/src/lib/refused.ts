// Where a refused form is wrong.
import { Problem } from './api';

/** What is wrong, by the path of its field. */
export type Wrong = Record<string, string>;

/** What the server says of each field, in the words of a screen; paths are those within `part` of what was sent. */
export function wrongIn(error: unknown, part = '', words: (reason: string) => string = (reason) => reason): Wrong {
  const found: Wrong = {};
  for (const one of error instanceof Problem ? error.errors : []) {
    const path = String(one.path ?? '');
    const field = part && path.startsWith(`${part}.`) ? path.slice(part.length + 1) : path;
    if (field) found[field] = words(String(one.reason ?? ''));
  }
  return found;
}
