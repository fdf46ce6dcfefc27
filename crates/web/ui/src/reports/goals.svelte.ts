// Goals of today, read anew at once when money moves, and every few seconds: promises and contacts move them too.
import { api, said } from '../lib/api';
import { follow } from '../lib/moved';
import { every } from '../lib/paged.svelte';
import type { Goal, Standing, Standings } from './types';

/** Between two looks of an office, ms. */
const AGAIN_MS = 4_000;
/** Of an agent, ms: there are hundreds, and their own counts make them look too. */
const MINE_MS = 10_000;
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

  private asked = 0;

  constructor(
    private readonly path: '/goals/progress' | '/agents/me/goals',
    private readonly client?: string,
  ) {}

  async load(): Promise<void> {
    const mine = ++this.asked;
    try {
      const got = await api.get<Standings>(this.path, this.client ? { client: this.client } : {});
      if (mine !== this.asked) return;
      this.items = got.items;
      this.more = got.more;
      this.wrong = '';
    } catch (error) {
      if (mine === this.asked) this.wrong = said(error);
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
    return follow(() => this.load(), this.client, this.path === '/agents/me/goals' ? MINE_MS : AGAIN_MS);
  }
  whose = (goal: Goal): string => {
    const of = (list: readonly Named[], id: string | null) => list.find((x) => x.id === id)?.name;
    const who = of(this.agents, goal.agent_id) ?? of(this.teams, goal.team_id);
    const where = of(this.portfolios, goal.portfolio_id) ?? of(this.clients, goal.client_id) ?? '';
    return who ? (where ? `${who} · ${where}` : who) : where;
  };
}
