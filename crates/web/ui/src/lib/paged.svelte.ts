// A list by cursor: first page, then more on demand. Late answers of an older question are dropped.
import { api, said, type Page, type Query } from './api';
import { follow } from './moved';

export class Paged<T> {
  items = $state.raw<T[]>([]);
  next = $state<string | null>(null);
  loading = $state(false);
  wrong = $state('');
  private path = '';
  private query: Query = {};
  private asks = false;
  private asked: AbortController | null = null;

  constructor(private readonly limit = 50) {}

  load(path: string, query: Query = {}): Promise<void> {
    return this.start(path, query, false);
  }
  /** The same with the question in the body: what names a person is in no address. */
  ask(path: string, query: Query): Promise<void> {
    return this.start(path, query, true);
  }
  private start(path: string, query: Query, asks: boolean): Promise<void> {
    this.path = path;
    this.query = query;
    this.asks = asks;
    this.items = [];
    this.next = null;
    return this.fetch(null);
  }
  more(): Promise<void> {
    return this.next && !this.loading ? this.fetch(this.next) : Promise.resolve();
  }
  again(): Promise<void> {
    return this.start(this.path, this.query, this.asks);
  }

  /** Looks quietly whether the first page is another by now; what was paged on stays as it is. */
  async fresh(): Promise<void> {
    if (this.loading || !this.path || this.items.length > this.limit || document.hidden) return;
    const mine = (this.asked = new AbortController());
    try {
      const query = { ...this.query, limit: this.limit };
      const page = await (this.asks ? api.ask<Page<T>>(this.path, query, mine.signal) : api.get<Page<T>>(this.path, query, mine.signal));
      if (mine !== this.asked || JSON.stringify(page.items) === JSON.stringify(this.items)) return;
      this.items = page.items;
      this.next = page.next_cursor;
    } catch {
      // What is shown stays; the next look or the next question tells.
    }
  }
  /** Looks again and again while the list is shown; gives what ends it. */
  follow(everyMs: number): () => void {
    const timer = setInterval(() => void this.fresh(), everyMs);
    return () => clearInterval(timer);
  }

  /** Looks whenever money of the client moved; gives what ends it. */
  live(client?: string): () => void {
    return follow(() => this.fresh(), client);
  }

  private async fetch(cursor: string | null): Promise<void> {
    this.asked?.abort();
    const mine = (this.asked = new AbortController());
    this.loading = true;
    this.wrong = '';
    try {
      const query = { ...this.query, limit: this.limit, cursor };
      const page = await (this.asks ? api.ask<Page<T>>(this.path, query, mine.signal) : api.get<Page<T>>(this.path, query, mine.signal));
      if (mine !== this.asked) return;
      this.items = cursor ? [...this.items, ...page.items] : page.items;
      this.next = page.next_cursor;
    } catch (error) {
      if (!mine.signal.aborted) this.wrong = said(error);
    } finally {
      if (mine === this.asked) this.loading = false;
    }
  }
}

/** All pages of a short list (clients, scripts), bounded. */
export async function every<T>(path: string, query: Query = {}): Promise<T[]> {
  const all: T[] = [];
  let cursor: string | null = null;
  for (let pages = 0; pages < 20; pages++) {
    const page: Page<T> = await api.get<Page<T>>(path, { ...query, limit: 500, cursor });
    all.push(...page.items);
    cursor = page.next_cursor;
    if (!cursor) break;
  }
  return all;
}
