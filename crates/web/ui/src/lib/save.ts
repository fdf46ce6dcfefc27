// A file that the server sends to whoever shows a token: no link can, so it goes through memory.
import { raw, type Query } from './api';

/** Longest wait for a large archive, ms. */
const LONG_MS = 10 * 60_000;

export async function save(name: string, path: string, query?: Query): Promise<void> {
  const response = await raw('GET', path, { query, timeoutMs: LONG_MS });
  const url = URL.createObjectURL(await response.blob());
  const link = Object.assign(document.createElement('a'), { href: url, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
