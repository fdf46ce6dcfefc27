// Short notices at the foot of the screen; errors stay until closed.
export interface Toast {
  id: number;
  kind: 'good' | 'bad' | 'info';
  text: string;
}
/** How long a good notice stays, ms. */
const STAY_MS = 6_000;
/** More than this would hide the screen. */
const MOST = 4;
const state = $state<{ list: Toast[] }>({ list: [] });
let last = 0;

export const toasts = {
  get list(): readonly Toast[] {
    return state.list;
  },
};
export function toast(kind: Toast['kind'], text: string): void {
  const id = ++last;
  state.list = [...state.list.filter((x) => x.text !== text).slice(1 - MOST), { id, kind, text }];
  if (kind !== 'bad') setTimeout(() => dismiss(id), STAY_MS);
}
export function dismiss(id: number): void {
  state.list = state.list.filter((x) => x.id !== id);
}
