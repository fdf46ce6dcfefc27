// One socket a client: ticket, hello, subscription with resume, heartbeat from a worker, reconnect with backoff.
import { api, Problem } from './api';
import { sawServer } from './clock.svelte';
import { backoff, Cursor } from './cursor';
import { day } from './format';
import { t, word } from './i18n.svelte';
import { moneyMoved } from './moved';
import { toast } from './toast.svelte';
import type { Message } from './wire';

export type Link = 'connecting' | 'up' | 'lost' | 'taken' | 'refused' | 'closed';
/** Silence after which the link counts as lost, ms. */
const SILENT_MS = 5_000;
const TAKEN_OVER = 4001;
const SIGNED_OUT = 4003;

/** What a late case says: its stage's deadline has passed, or its statute date is near. */
function lateTold(code: string, date: unknown): string {
  const stage = word('stage', code);
  return typeof date === 'string' ? t('stage.statuteTold', { stage, date: day(date) }) : t('stage.lateTold', { stage });
}

export interface Handlers {
  snap(data: unknown): void;
  delta(message: Message): void;
  other?(message: Message): void;
  /** The socket came up, or was lost. */
  linked?(up: boolean): void;
}

export class Socket {
  link = $state<Link>('connecting');
  /** Round trip of the last heartbeat, ms. */
  rtt = $state<number | null>(null);
  /** Client instant of the last message; the age of the data is counted from it. */
  heard = $state(0);
  /** Why the server would not have us. */
  refusal = $state('');

  private socket: WebSocket | null = null;
  private boot = '';
  private cursor = new Cursor();
  private tries = 0;
  private pings = 0;
  private sent = new Map<number, number>();
  private beat = new Worker(new URL('./beat.worker.ts', import.meta.url), { type: 'module' });
  private timer: ReturnType<typeof setTimeout> | undefined;
  private stopped = false;

  constructor(
    private readonly path: '/ws/agent' | '/ws/supervisor',
    /** None: only what everybody is told. */
    private readonly topic: 'me' | 'board' | null,
    private readonly handlers: Handlers,
  ) {
    this.beat.onmessage = () => this.ping();
    addEventListener('online', this.hurry);
    void this.open();
  }

  close(): void {
    this.stopped = true;
    this.beat.terminate();
    clearTimeout(this.timer);
    removeEventListener('online', this.hurry);
    this.socket?.close(1000);
    this.link = 'closed';
  }

  send(message: object): void {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
  }

  private hurry = () => {
    if (this.link === 'lost') this.again(0);
  };

  private async open(): Promise<void> {
    let ticket: string;
    try {
      ({ ticket } = await api.post<{ ticket: string }>('/ws-tickets'));
    } catch (error) {
      if (error instanceof Problem && (error.status === 401 || error.status === 403)) {
        this.link = 'refused';
        this.refusal = error.message;
      } else this.again();
      return;
    }
    if (this.stopped) return;
    const socket = new WebSocket(`${location.origin.replace(/^http/, 'ws')}${this.path}?ticket=${encodeURIComponent(ticket)}`, 'marcador.v1');
    this.socket = socket;
    this.heard = Date.now();
    socket.onmessage = (event) => {
      if (socket === this.socket && typeof event.data === 'string') this.take(event.data);
    };
    socket.onclose = (event) => {
      if (socket === this.socket) this.gone(event.code, event.reason);
    };
  }

  private gone(code: number, reason: string): void {
    this.socket = null;
    this.handlers.linked?.(false);
    this.sent.clear();
    this.rtt = null;
    if (this.stopped) return;
    if (code === TAKEN_OVER) this.link = 'taken';
    else if (code === SIGNED_OUT) {
      this.link = 'refused';
      this.refusal = reason;
    } else this.again();
  }

  private again(wait = backoff(this.tries++, Math.random())): void {
    this.link = 'lost';
    clearTimeout(this.timer);
    if (!this.stopped) this.timer = setTimeout(() => void this.open(), wait);
  }

  private ping(): void {
    if (this.socket?.readyState === WebSocket.OPEN) {
      const n = ++this.pings;
      this.sent.set(n, performance.now());
      this.send({ t: 'ping', n });
    }
    if (this.socket && Date.now() - this.heard > SILENT_MS) {
      const old = this.socket;
      this.gone(1006, '');
      old.close();
    }
  }

  private subscribe(resume: boolean): void {
    if (!this.topic) return;
    const at = this.cursor.at;
    const from = resume && at !== null ? { resume: { boot: this.boot, [this.topic]: at } } : {};
    this.send({ t: 'sub', topics: [this.topic], ...from });
  }

  private take(text: string): void {
    let message: Message;
    try {
      message = JSON.parse(text) as Message;
    } catch {
      return;
    }
    this.heard = Date.now();
    if (typeof message.now === 'number') sawServer(message.now, message.t === 'hello');
    if (message.t === 'hello') this.hello(message);
    else if (message.t === 'pong') this.pong(message.n ?? 0);
    else if (message.t === 'gap' && message.topic === this.topic) this.cursor.reset();
    else if (message.t === 'snap' && message.topic === this.topic) {
      this.cursor.snap(message.seq ?? 0);
      this.handlers.snap(message.data);
    } else if (message.t === 'd' && message.topic === this.topic) {
      const verdict = this.cursor.delta(message.seq ?? 0);
      if (verdict === 'apply') this.handlers.delta(message);
      else if (verdict === 'hole') this.subscribe(false);
    } else if (message.t === 'late_case') toast('bad', lateTold(String(message.stage), message.statute_date));
    else if (message.t === 'money') moneyMoved(String(message.client));
    else this.handlers.other?.(message);
  }

  private hello(message: Message): void {
    const same = message.boot === this.boot;
    this.boot = message.boot ?? '';
    if (!same) this.cursor.reset();
    this.tries = 0;
    this.link = 'up';
    this.subscribe(same);
    this.handlers.linked?.(true);
    // What moved while nobody could say so.
    moneyMoved();
    this.ping();
  }

  private pong(n: number): void {
    const at = this.sent.get(n);
    if (at === undefined) return;
    this.rtt = Math.max(1, Math.round(performance.now() - at));
    for (const key of this.sent.keys()) if (key <= n) this.sent.delete(key);
  }
}
