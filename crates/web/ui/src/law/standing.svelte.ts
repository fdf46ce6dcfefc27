// How the rule packs stand, asked once: whoever shows a pack shows with it that nobody signed it or that its review is overdue.
import { api } from '../lib/api';
import type { Pack } from './types';

const state = $state<{ packs: Pack[]; wrong: unknown }>({ packs: [], wrong: null });
let asked: Promise<void> | null = null;

export function loadPacks(again = false): Promise<void> {
  if (again) asked = null;
  asked ??= api.get<{ items: Pack[] }>('/rulepacks').then(
    (got) => {
      state.packs = got.items;
      state.wrong = null;
    },
    (error: unknown) => {
      state.wrong = error;
      asked = null;
    },
  );
  return asked;
}

export const packs = {
  get all(): readonly Pack[] {
    return state.packs;
  },
  get wrong(): unknown {
    return state.wrong;
  },
  of(id: string): Pack | undefined {
    return state.packs.find((p) => p.id === id);
  },
};
