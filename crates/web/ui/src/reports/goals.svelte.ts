// Goals of today, asked again every few seconds: money that is posted moves them while one looks.
import { api, said } from '../lib/api';
import { every } from '../lib/paged.svelte';
import type { Goal, Standing, Standings } from './types';

/** Between two looks, ms. */
const AGAIN_MS = 4_000;
interface Named {
  id: string;
  name: string;
}

export class Goals {
  items = $state.raw<Standing[]>([]);
  more = $state(false);
  wrong = $state('');
  loaded = $state(false);
  agents = $state.raw<Named[]>([]);
  teams = $state.raw<Named[]>([]);
  portfolios = $state.raw<Named[]>([]);
  clients = $state.raw<Named[]>([]);

  constructor(
    private readonly path: string,
    private readonly client?: string,
  ) {}

  async load(): Promise<void> {
    try {
      const got = await api.get<Standings>(this.path, this.client ? { client: this.client } : {});
      this.items = got.items;
      this.more = got.more;
      this.wrong = '';
    } catch (error) {
      this.wrong = said(error);
    } finally {
      this.loaded = true;
    }
  }
  /** Names of those whose goals they are; only for who may list them. */
  async names(): Promise<void> {
    try {
      [this.agents, this.teams, this.portfolios, this.clients] = await Promise.all([every<Named>('/agents'), every<Named>('/teams'), every<Named>('/portfolios'), every<Named>('/clients')]);
    } catch (error) {
      this.wrong = said(error);
    }
  }
  watch(): () => void {
    void this.load();
    const timer = setInterval(() => void this.load(), AGAIN_MS);
    return () => clearInterval(timer);
  }
  whose = (goal: Goal): string => {
    const of = (list: readonly Named[], id: string | null) => list.find((x) => x.id === id)?.name;
    const who = of(this.agents, goal.agent_id) ?? of(this.teams, goal.team_id);
    const where = of(this.portfolios, goal.portfolio_id) ?? of(this.clients, goal.client_id) ?? '';
    return who ? (where ? `${who} · ${where}` : who) : where;
  };
}
