// The client the manager works on; every list of these screens follows it.
import { said } from '../lib/api';
import { every } from '../lib/paged.svelte';
import { toast } from '../lib/toast.svelte';
import type { Client, Portfolio } from './types';

const STORE = 'marcador.client';
const state = $state<{ clients: Client[]; portfolios: Portfolio[]; id: string; loaded: boolean }>({ clients: [], portfolios: [], id: '', loaded: false });

export const scope = {
  get clients(): Client[] {
    return state.clients;
  },
  get id(): string {
    return state.id;
  },
  get loaded(): boolean {
    return state.loaded;
  },
  get portfolios(): Portfolio[] {
    return state.portfolios.filter((p) => p.client_id === state.id);
  },
  choose(id: string): void {
    state.id = id;
    sessionStorage.setItem(STORE, id);
  },
};

export async function loadScope(): Promise<void> {
  try {
    [state.clients, state.portfolios] = await Promise.all([every<Client>('/clients'), every<Portfolio>('/portfolios')]);
    const had = sessionStorage.getItem(STORE);
    state.id = state.clients.find((c) => c.id === had)?.id ?? state.clients[0]?.id ?? '';
  } catch (error) {
    toast('bad', said(error));
  } finally {
    state.loaded = true;
  }
}
