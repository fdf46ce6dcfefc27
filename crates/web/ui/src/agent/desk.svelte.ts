// The desk: a projection of what the server says about this agent, and his commands.
import { api, said } from '../lib/api';
import { clock } from '../lib/clock.svelte';
import { given } from '../lib/dispositions.svelte';
import { i18n, word } from '../lib/i18n.svelte';
import { flush, post, type Sent } from '../lib/outbox.svelte';
import { Socket } from '../lib/socket.svelte';
import { toast } from '../lib/toast.svelte';
import type { AgentState, Card, CardPlan, Me, Message } from '../lib/wire';
import { applied } from './me';
import { BrowserPhone } from './phone.svelte';

export interface Disposition {
  code: string;
  label_es: string;
  label_en: string;
  rpc: boolean;
  is_final: boolean;
  required: string[];
  hotkey: number;
  agent_may_set: boolean;
}
export type TransferTo = { agent: string } | { queue: string } | { number: string };
export const label = (d: Disposition): string => (i18n.lang === 'en' ? d.label_en : d.label_es);

/** What the form of a result needs: a desk, or a call that a supervisor took over. */
export type Disposing = Pick<Desk, 'dispositions' | 'me' | 'open' | 'live' | 'attempt' | 'disposed' | 'dispose'>;

const LIVE: AgentState[] = ['talking', 'hold'];

export interface FoundDebtor {
  id: string;
  name: string;
  document_masked: string;
  external_ref: string;
}

export class Desk {
  me = $state.raw<Me | null>(null);
  card = $state.raw<Card | null>(null);
  /** What was agreed in this call, as the server last told it. */
  plan = $state.raw<CardPlan | null>(null);
  private tree = $state.raw<Disposition[]>([]);
  /** The codes of the call's campaign. */
  readonly dispositions = $derived(given(this.tree, this.card?.campaign.codes, this.card?.duties?.hidden_leaves));
  /** Attempts whose disposition has left this desk, so that it is not asked twice. */
  disposed = $state<string | null>(null);
  /** A command is on its way; its button waits. */
  busy = $state('');
  readonly socket: Socket;
  readonly phone: BrowserPhone;

  constructor(private readonly user: string) {
    this.phone = new BrowserPhone((message) => this.socket.send(message));
    this.socket = new Socket('/ws/agent', 'me', {
      linked: (up) => this.phone.link(up),
      snap: (data) => this.show(data as Me),
      delta: (message) => this.me && this.show(applied(this.me, message)),
      other: (message) => this.other(message),
    });
    void this.load();
    void flush(user).catch((error: unknown) => toast('bad', said(error)));
  }

  get attempt(): string | null {
    return this.me?.attempt?.id ?? null;
  }
  /** What he did today, as one value: when it changes, his goals moved. */
  get counts(): string {
    const day = this.me?.today;
    return day ? `${day.rpc} ${day.promises}` : '';
  }
  get live(): boolean {
    return this.me !== null && LIVE.includes(this.me.state);
  }
  get lost(): boolean {
    return this.socket.link !== 'up' || this.me?.state === 'lagged';
  }
  /** Whether "available" may be asked for. */
  get mayBeReady(): boolean {
    return !this.lost && !this.phone.mustTest;
  }
  /** The call is open for a result: talking, on hold, or after it. */
  get open(): boolean {
    return this.attempt !== null && (this.live || this.me?.state === 'wrapup') && this.disposed !== this.attempt;
  }

  close(): void {
    this.phone.close();
    this.socket.close();
  }

  private show(me: Me): void {
    this.me = me;
    this.phone.decide(me.phone.registered, clock.demo);
    this.phone.sees(me.phone.leg_up);
    this.phone.mute(me.attempt?.muted ?? false);
    const busy = me.attempt !== null || me.state === 'preview' || me.state === 'lagged';
    if (!busy && this.card) this.card = null;
    if (me.attempt && this.card?.attempt && this.card.attempt !== me.attempt.id) this.card = null;
  }

  private other(message: Message): void {
    if (message.t === 'rtc') void this.phone.answer(message);
    if (message.t === 'plan') this.planned(message.plan as CardPlan);
    if (message.t !== 'pop' && message.t !== 'card' && message.t !== 'preview') return;
    const { t: _t, ...card } = message;
    this.card = card as unknown as Card;
    const { attempt: mine } = this.card;
    this.plan = (mine && this.card.plans?.find((p) => p.attempt === mine)) || null;
    if (message.t === 'pop' && this.card.attempt) {
      const { attempt } = this.card;
      // Drawn means painted: the frame after the one in which the state changed.
      requestAnimationFrame(() => requestAnimationFrame(() => this.socket.send({ t: 'ack', attempt })));
    }
  }

  private planned(plan: CardPlan): void {
    if (!this.card || plan.attempt !== this.card.attempt) return;
    const was = this.plan?.state;
    this.plan = plan;
    if (was !== plan.state) toast(plan.state === 'cancelled' || plan.state === 'broken' ? 'bad' : 'good', word('plan', plan.state));
  }
  /** Draws a plan; the answer of a supervisor comes by the socket. */
  async draw(body: Record<string, unknown>): Promise<void> {
    const file = await api.post<{ plan: CardPlan & { attempt_id: string | null; asked_until: string | null } }>('/plans', body);
    const { plan } = file;
    this.plan = { ...plan, attempt: plan.attempt_id, asked_until: plan.asked_until ? Date.parse(plan.asked_until) : null, answered: false };
  }

  private async load(): Promise<void> {
    try {
      const { items } = await api.get<{ items: Disposition[] }>('/dispositions');
      this.tree = items.filter((d) => d.agent_may_set);
    } catch (error) {
      toast('bad', said(error));
      setTimeout(() => void this.load(), 3_000);
    }
  }

  private async command(name: string, path: string, body?: unknown): Promise<unknown> {
    if (this.busy === name) return undefined;
    this.busy = name;
    try {
      return await api.post(path, body);
    } catch (error) {
      toast('bad', said(error));
      return undefined;
    } finally {
      this.busy = '';
    }
  }

  ready = () => this.command('ready', '/agents/me/state', { state: 'ready' });
  pause = (code: string) => this.command('pause', '/agents/me/state', { state: 'paused', code });
  offline = () => this.command('offline', '/agents/me/state', { state: 'offline' });
  hangup = () => this.command('hangup', `/attempts/${this.attempt}/hangup`);
  hold = () => this.command('hold', `/attempts/${this.attempt}/hold`, { on: !this.me?.attempt?.held });
  mute = () => this.command('mute', `/attempts/${this.attempt}/mute`, { on: !this.me?.attempt?.muted });
  digit = (digit: string) => this.command('digit', `/attempts/${this.attempt}/dtmf`, { digit });
  recording = (on: boolean) => this.command('recording', `/calls/${this.attempt}/recording/${on ? 'resume' : 'pause'}`);
  /** Card data is told: the server pauses the recording meanwhile. */
  cardData = (open: boolean) => this.command('cardData', `/calls/${this.attempt}/card`, { open });
  handOver = () => this.command('transfer', `/attempts/${this.attempt}/transfer/complete`);
  takeBack = () => this.command('transfer', `/attempts/${this.attempt}/transfer/cancel`);
  conference = (on: boolean) => this.command('transfer', `/attempts/${this.attempt}/transfer/conference`, { on });
  /** The call is a machine: it ends, coded, and the agent goes on. */
  machine = () => this.command('machine', `/attempts/${this.attempt}/heard`, { truth: 'machine' });
  /** He talks with a person, whatever the call sounded like; true once it is kept. */
  person = async () => (await this.command('person', `/attempts/${this.attempt}/heard`, { truth: 'person' })) !== undefined;
  dial = () => this.command('dial', `/preview/${this.card?.item}/dial`);
  skip = () => this.command('skip', `/preview/${this.card?.item}/skip`);

  async identity(role: string): Promise<void> {
    const card = (await this.command('identity', `/attempts/${this.attempt}/identity`, { role })) as Card | undefined;
    if (card?.debtor && card.attempt === this.attempt) this.card = card;
  }

  /** Debtors of the call's client by what an unknown caller says; undefined when it could not be asked. */
  async findCaller(q: string): Promise<FoundDebtor[] | undefined> {
    const page = (await this.command('findCaller', `/attempts/${this.attempt}/caller/search`, { q })) as { items: FoundDebtor[] } | undefined;
    return page?.items;
  }
  /** The call is that debtor's; his card comes with the answer. */
  async attachCaller(debtor: string, keep: boolean): Promise<void> {
    const card = (await this.command('attachCaller', `/attempts/${this.attempt}/caller`, { debtor_id: debtor, keep_number: keep })) as Card | undefined;
    if (card?.debtor && card.attempt === this.attempt) this.card = card;
  }

  /** Kept in the outbox first; the attempt counts as disposed unless the server refuses it for good. */
  async dispose(body: object): Promise<Sent> {
    const attempt = this.attempt;
    const sent = await post(this.user, `/attempts/${attempt}/disposition`, body);
    if (sent.ok || sent.kept) this.disposed = attempt;
    return sent;
  }
}
