// The REST client: bearer token, one silent refresh on 401, problem+json as errors.
import { i18n, t, word } from './i18n.svelte';
import { uuid7 } from './uuid';

const ROOT = '/api/v1';
/** A request that takes longer is given up, ms. */
const TIMEOUT_MS = 20_000;

export interface FieldError {
  [name: string]: string | number | null | undefined;
}

export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    readonly title: string,
    readonly detail: string,
    readonly errors: FieldError[] = [],
    /** The law's own words, in both languages, where the law refused. */
    readonly reason: { es: string; en: string } | null = null,
    /** Members of single codes. */
    readonly more: Record<string, unknown> = {},
  ) {
    super(detail || title || code);
  }
  /** No answer at all: the same request may be sent again. */
  get offline(): boolean {
    return this.status === 0;
  }
}

let token: string | null = null;
let refresh: () => Promise<boolean> = async () => false;
export const setToken = (value: string | null): void => void (token = value);
export const hasToken = (): boolean => token !== null;
export const onExpired = (again: () => Promise<boolean>): void => void (refresh = again);

export type Query = Record<string, string | number | boolean | null | undefined>;
export interface Options {
  query?: Query;
  body?: unknown;
  /** Idempotency-Key of the write; made here when absent. */
  key?: string;
  signal?: AbortSignal;
  timeoutMs?: number;
  /** No token and no refresh: sign-in itself. */
  open?: boolean;
}

export function address(path: string, query?: Query): string {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value !== undefined && value !== null && value !== '') params.set(name, String(value));
  }
  const text = params.toString();
  return ROOT + path + (text ? `?${text}` : '');
}

async function problem(response: Response): Promise<Problem> {
  const body = (await response.json().catch(() => ({}))) as Record<string, unknown>;
  const text = (name: string) => (typeof body[name] === 'string' ? (body[name] as string) : '');
  const errors = Array.isArray(body.errors) ? (body.errors as FieldError[]) : [];
  const words = body.reason as { es?: unknown; en?: unknown } | undefined;
  const reason = typeof words?.es === 'string' && typeof words.en === 'string' ? { es: words.es, en: words.en } : null;
  return new Problem(response.status, text('code') || `http_${response.status}`, text('title'), text('detail'), errors, reason, body);
}

async function once(method: string, path: string, options: Options, key: string | undefined): Promise<Response> {
  const headers = new Headers({ accept: 'application/json' });
  if (token && !options.open) headers.set('authorization', `Bearer ${token}`);
  if (key) headers.set('idempotency-key', key);
  let body: BodyInit | undefined;
  if (options.body instanceof FormData || options.body instanceof Blob) body = options.body;
  else if (options.body !== undefined) {
    headers.set('content-type', 'application/json');
    body = JSON.stringify(options.body);
  }
  const signals = [AbortSignal.timeout(options.timeoutMs ?? TIMEOUT_MS)];
  if (options.signal) signals.push(options.signal);
  try {
    return await fetch(address(path, options.query), { method, headers, body, signal: AbortSignal.any(signals), credentials: 'same-origin' });
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw new Problem(0, 'offline', '', t('error.offline'));
  }
}

export async function raw(method: string, path: string, options: Options = {}): Promise<Response> {
  const key = method === 'GET' || options.open ? undefined : (options.key ?? uuid7());
  let response = await once(method, path, options, key);
  if (response.status === 401 && !options.open && (await refresh())) response = await once(method, path, options, key);
  if (!response.ok) throw await problem(response);
  return response;
}

async function json<T>(method: string, path: string, options?: Options): Promise<T> {
  const response = await raw(method, path, options);
  return (response.status === 204 ? undefined : await response.json().catch(() => undefined)) as T;
}

export const api = {
  get: <T>(path: string, query?: Query, signal?: AbortSignal) => json<T>('GET', path, { query, signal }),
  /** A question whose words are in the body; no write, so without a key. */
  ask: <T>(path: string, query: Query, signal?: AbortSignal) =>
    json<T>('POST', path, { body: Object.fromEntries(Object.entries(query).filter(([, v]) => v !== '' && v != null)), signal }),
  post: <T>(path: string, body?: unknown, options?: Options) => json<T>('POST', path, { body, ...options }),
  put: <T>(path: string, body?: unknown) => json<T>('PUT', path, { body }),
  patch: <T>(path: string, body?: unknown) => json<T>('PATCH', path, { body }),
  delete: <T>(path: string) => json<T>('DELETE', path),
};

export interface Page<T> {
  items: T[];
  next_cursor: string | null;
}

/** One line for a person about anything that went wrong, in the language of the screens. */
export function said(error: unknown): string {
  if (!(error instanceof Problem)) return error instanceof Error ? error.message : String(error);
  if (error.reason) return error.reason[i18n.lang];
  // The server speaks English, and its detail says more than a title of ours.
  if (i18n.lang === 'en' && error.detail) return error.detail;
  const code = error.offline ? 'offline' : error.status === 403 && error.code.startsWith('http_') ? 'forbidden' : error.code;
  const title = code === 'offline' ? t('error.offline') : word('problem', code);
  if (title === code) return t('error.code', { code });
  const places = error.errors.flatMap((e) => (typeof e.path === 'string' && e.path ? [e.path] : []));
  return places.length ? `${title} (${places.join(', ')})` : title;
}
