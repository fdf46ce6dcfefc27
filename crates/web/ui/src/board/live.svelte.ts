// The board: rows of the server, kept as plain objects; a version number redraws, at most ten times a second.
import { SvelteMap } from 'svelte/reactivity';
import { api, type Page } from '../lib/api';
import { clock } from '../lib/clock.svelte';
import { share } from '../lib/format';
import { Socket } from '../lib/socket.svelte';
import { Ear } from './ear.svelte';
import { abandonment, merged, withRow } from './rows';
import type { Alarm, Ask, Board, BoardAgent, BoardDelta, CampaignRow, Message, Named, TrunkRow } from '../lib/wire';

/** Between two points of the chart, ms; and how many are kept (two hours). */
const SAMPLE_MS = 5_000;
const SAMPLES = 1_440;

export interface Sample {
  at: number;
  /** Share 0…1 of each running campaign, and over all. */
  all: number | null;
}

export class Live {
  agents = new SvelteMap<string, BoardAgent>();
  campaigns = $state.raw<CampaignRow[]>([]);
  trunks = $state.raw<TrunkRow[]>([]);
  alarms = $state.raw<Alarm[]>([]);
  asks = $state.raw<Ask[]>([]);
  totals = $state.raw<Record<string, unknown>>({});
  samples = $state.raw<Sample[]>([]);
  /** Names of teams; without them the filter shows dashes. */
  teams = $state.raw(new Map<string, string>());
  ready = $state(false);
  readonly socket: Socket;
  /** Joins calls: the supervisor hears and speaks by this browser. */
  readonly ear: Ear;
  private timer: ReturnType<typeof setInterval>;

  constructor() {
    this.socket = new Socket('/ws/supervisor', 'board', {
      snap: (data) => this.snap(data as Board),
      delta: (message) => this.delta({ ...message, ...(message.data as object | undefined) } as unknown as BoardDelta & Message),
      other: (message) => this.ear.told(message),
      linked: (up) => this.ear.phone.link(up),
    });
    this.ear = new Ear((message) => this.socket.send(message));
    api.get<Page<Named>>('/teams', { limit: 500 }).then(({ items }) => (this.teams = new Map(items.map((x) => [x.id, x.name]))), () => undefined);
    this.timer = setInterval(() => this.sample(), SAMPLE_MS);
  }

  close(): void {
    clearInterval(this.timer);
    this.ear.close();
    this.socket.close();
  }

  private snap(board: Board): void {
    this.agents.clear();
    for (const agent of board.agents) this.agents.set(agent.id, agent);
    this.campaigns = board.campaigns;
    this.trunks = board.trunks;
    this.alarms = board.alarms;
    this.asks = board.asks ?? [];
    this.totals = board.totals ?? {};
    this.ready = true;
    if (this.samples.length === 0) this.sample();
  }

  private delta(change: BoardDelta): void {
    for (const agent of change.agents ?? []) this.agents.set(agent.id, agent);
    for (const row of change.rows ?? []) {
      const agent = this.agents.get(row[0]);
      // A full row in the same tick is newer than the short one.
      if (agent && !change.agents?.some((a) => a.id === row[0])) this.agents.set(row[0], withRow(agent, row));
    }
    this.campaigns = merged(this.campaigns, change.campaigns);
    this.trunks = merged(this.trunks, change.trunks);
    if (change.alarms) this.alarms = change.alarms;
    if (change.asks) this.asks = change.asks;
    if (change.totals) this.totals = change.totals;
  }

  private sample(): void {
    if (!this.ready || this.socket.link !== 'up') return;
    // The server's clock may step back a little when it is heard again; points never do.
    const at = Math.max(clock.exact(), (this.samples.at(-1)?.at ?? 0) + 1);
    const point = { at, all: share(abandonment(this.campaigns)) };
    this.samples = [...this.samples.slice(1 - SAMPLES), point];
  }
}
