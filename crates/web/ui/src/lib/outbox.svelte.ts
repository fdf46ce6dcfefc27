// Dispositions are written here before they are sent and removed on 2xx: a reload or a lost link loses none,
// and the Idempotency-Key lets the server double none.
import { api, Problem, said } from './api';
import { toast } from './toast.svelte';
import { uuid7 } from './uuid';

interface Letter {
  key: string;
  user: string;
  path: string;
  body: unknown;
}
const BASE = 'marcador';
const TABLE = 'outbox';
const AGAIN_MS = 3_000;
/** An agent never has this many calls open; more would be a fault, not work. */
const MOST = 200;

const state = $state({ waiting: 0 });
export const outbox = {
  get waiting(): number {
    return state.waiting;
  },
};

let opened: Promise<IDBDatabase> | undefined;
function base(): Promise<IDBDatabase> {
  opened ??= new Promise((done, failed) => {
    const request = indexedDB.open(BASE, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(TABLE, { keyPath: 'key' });
    request.onsuccess = () => done(request.result);
    request.onerror = () => failed(request.error);
  });
  return opened;
}
async function run<T>(mode: IDBTransactionMode, work: (store: IDBObjectStore) => IDBRequest<T>): Promise<T> {
  const db = await base();
  return new Promise((done, failed) => {
    const transaction = db.transaction(TABLE, mode);
    const request = work(transaction.objectStore(TABLE));
    transaction.oncomplete = () => done(request.result);
    transaction.onabort = () => failed(transaction.error);
  });
}

export type Sent = { ok: true; reply: unknown } | { ok: false; kept: boolean; error: unknown };
const passing = (error: unknown): boolean =>
  !(error instanceof Problem) || error.offline || error.status >= 500 || [401, 408, 425, 429].includes(error.status) || error.code === 'idempotency_in_flight';

async function deliver(letter: Letter): Promise<Sent> {
  try {
    const reply = await api.post(letter.path, letter.body, { key: letter.key });
    await run('readwrite', (s) => s.delete(letter.key));
    return { ok: true, reply };
  } catch (error) {
    const kept = passing(error);
    if (!kept) await run('readwrite', (s) => s.delete(letter.key));
    return { ok: false, kept, error };
  }
}

let timer: ReturnType<typeof setTimeout> | undefined;
async function count(user: string): Promise<void> {
  const all = (await run('readonly', (s) => s.getAll(null, MOST))) as Letter[];
  state.waiting = all.filter((l) => l.user === user).length;
  clearTimeout(timer);
  if (state.waiting) timer = setTimeout(() => void flush(user), AGAIN_MS);
}

/** Stores, sends, and says how it went; what could not be sent goes out later by itself. */
export async function post(user: string, path: string, body: unknown): Promise<Sent> {
  const letter: Letter = { key: uuid7(), user, path, body };
  await run('readwrite', (s) => s.put(letter));
  const sent = await deliver(letter);
  await count(user);
  return sent;
}

let busy = false;
/** Sends what an earlier page or link left behind, oldest first (version 7 keys sort by time). */
export async function flush(user: string): Promise<void> {
  if (busy) return;
  busy = true;
  try {
    const all = (await run('readonly', (s) => s.getAll(null, MOST))) as Letter[];
    for (const letter of all.filter((l) => l.user === user)) {
      const sent = await deliver(letter);
      if (sent.ok) continue;
      if (sent.kept) break;
      toast('bad', said(sent.error));
    }
  } finally {
    busy = false;
    await count(user);
  }
}
