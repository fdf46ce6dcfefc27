// A supervisor on a call: his browser is the phone while he listens, whispers, barges in or has taken a call over.
import { BrowserPhone } from '../agent/phone.svelte';
import { api, Problem } from '../lib/api';
import { t, word } from '../lib/i18n.svelte';
import { session } from '../lib/session.svelte';
import type { Message } from '../lib/wire';
import { Taken } from './taken.svelte';

export type Mode = 'listen' | 'whisper' | 'barge' | 'take_over';
/** How often a call that was taken over is looked at, ms. */
const LOOK_MS = 2_000;

/** Longest wait for the browser's connection before the server is asked all the same, and how often it is looked at, ms. */
const UP_MS = 6_000;
const LOOK_UP_MS = 50;

/** Which call, how, and whose it was. */
export interface Heard {
  attempt: string;
  mode: Mode;
  agent: string;
}

export class Ear {
  on = $state<Heard | null>(null);
  /** The call he took over, until its result is told or he lets it be. */
  taken = $state.raw<Taken | null>(null);
  readonly phone: BrowserPhone;
  private timer: ReturnType<typeof setInterval> | undefined;

  constructor(send: (message: object) => void) {
    this.phone = new BrowserPhone(send, true);
  }

  told(message: Message): void {
    if (message.t === 'rtc') void this.phone.answer(message);
  }

  /** Joins a call or changes how; throws what is to be said. */
  async join(attempt: string, mode: Mode, agent: string): Promise<void> {
    if (this.on && this.on.attempt !== attempt) await this.leave();
    if (!this.phone.wanted) await this.phone.start();
    for (const end = Date.now() + UP_MS; this.phone.wanted && this.phone.state !== 'up' && Date.now() < end; ) await new Promise((done) => setTimeout(done, LOOK_UP_MS));
    if (!this.phone.wanted) throw new Error(word('phoneWhy', this.phone.refusal));
    const before = this.on;
    // Told before it is asked: the agent's row loses the call at once, which would else look like its end.
    if (before && mode === 'take_over') this.on = { attempt, mode, agent };
    try {
      await api.post(`/calls/${attempt}/monitor`, { mode });
    } catch (error) {
      this.on = before;
      if (!before) this.phone.stop();
      throw error;
    }
    this.on = { attempt, mode, agent };
    clearInterval(this.timer);
    if (mode !== 'take_over') return;
    this.timer = setInterval(() => void this.look(attempt), LOOK_MS);
    this.taken?.close();
    this.taken = new Taken(attempt, session.me?.user.id ?? '');
  }

  /** A call that was taken over is on no agent's row: its own tells its end. */
  private async look(attempt: string): Promise<void> {
    const row = await api.get<{ ended_at: string | null }>(`/attempts/${attempt}`).catch(() => null);
    if (row?.ended_at && this.on?.attempt === attempt) this.over();
  }

  /** Leaves the call; one that was taken over ends with it. */
  async leave(): Promise<void> {
    const { on } = this;
    this.on = null;
    clearInterval(this.timer);
    this.ended();
    try {
      if (on?.mode === 'take_over') await api.post(`/attempts/${on.attempt}/hangup`, {});
      else if (on) await api.post(`/calls/${on.attempt}/monitor`, { mode: null });
    } catch (error) {
      // A call that is over has been left.
      if (!(error instanceof Problem && error.status === 409)) throw error;
    } finally {
      this.phone.stop();
    }
  }

  /** The call is over. */
  over(): void {
    this.on = null;
    clearInterval(this.timer);
    this.ended();
    this.phone.stop();
  }

  /** A call that was taken over and has its result already needs nothing more. */
  private ended(): void {
    if (this.taken) this.taken.live = false;
    if (this.taken?.open === false) this.dismiss();
  }

  /** No result is asked for any more. */
  dismiss(): void {
    this.taken?.close();
    this.taken = null;
  }

  get label(): string {
    return this.on ? t(`panel.${this.on.mode}On`) : '';
  }

  close(): void {
    clearInterval(this.timer);
    this.taken?.close();
    this.phone.close();
  }
}
