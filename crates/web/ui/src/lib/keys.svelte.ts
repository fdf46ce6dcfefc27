// One registry feeds the handler, aria-keyshortcuts, the <kbd> hints, the F1 sheet and the command bar.
import { untrack } from 'svelte';
import { ariaShortcut, belongsToField, combo, forbidden, printed } from './combo';

export interface Action {
  id: string;
  /** Default key, as `combo` names it; '' = reachable from the command bar only. */
  key: string;
  label: () => string;
  run: () => void;
  /** Absent = always. */
  when?: () => boolean;
  /** Also while a dialog is open. */
  overDialogs?: boolean;
}

const STORE = 'marcador.keys';
let actions = $state.raw<Action[]>([]);
const state = $state<{ changed: Record<string, string>; off: boolean }>({ changed: {}, off: false });

export const keys = {
  get actions(): readonly Action[] {
    return actions;
  },
  get off(): boolean {
    return state.off;
  },
  set off(value: boolean) {
    state.off = value;
    keep();
  },
  of(id: string): string {
    const action = actions.find((a) => a.id === id);
    return state.changed[id] ?? action?.key ?? '';
  },
  shown(id: string): string {
    return state.off ? '' : printed(keys.of(id));
  },
  aria(id: string): string | undefined {
    const key = state.off ? '' : keys.of(id);
    return key ? ariaShortcut(key) : undefined;
  },
  /** False when the browser keeps the key or another action has it. */
  change(id: string, key: string): boolean {
    if (forbidden(key) || actions.some((a) => a.id !== id && keys.of(a.id) === key)) return false;
    state.changed[id] = key;
    keep();
    return true;
  },
  reset(): void {
    state.changed = {};
    state.off = false;
    keep();
  },
};

function keep(): void {
  localStorage.setItem(STORE, JSON.stringify({ changed: state.changed, off: state.off }));
}

export function register(added: Action[]): () => void {
  const ids = new Set(added.map((a) => a.id));
  // The list is written here, not watched: an effect that registers must not run again for it.
  untrack(() => (actions = [...actions.filter((a) => !ids.has(a.id)), ...added]));
  return () => {
    actions = untrack(() => actions).filter((a) => !added.includes(a));
  };
}

const editable = (element: Element | null): boolean =>
  element instanceof HTMLElement && (element.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(element.tagName));
const pressable = (element: Element | null): boolean =>
  element instanceof HTMLElement && /^(BUTTON|A|SUMMARY|AUDIO)$/.test(element.tagName);

function handle(event: KeyboardEvent): void {
  if (event.defaultPrevented || event.isComposing || state.off) return;
  const name = combo(event);
  if (!name) return;
  const focus = document.activeElement;
  if (editable(focus) && belongsToField(name)) return;
  if (pressable(focus) && (name === 'Enter' || name === 'Space')) return;
  const dialog = document.querySelector('dialog[open]') !== null;
  const action = actions.find((a) => keys.of(a.id) === name && (!dialog || a.overDialogs) && (a.when?.() ?? true));
  if (!action) return;
  event.preventDefault();
  if (!event.repeat) action.run();
}

export function startKeys(): void {
  try {
    const had = JSON.parse(localStorage.getItem(STORE) ?? '{}') as { changed?: Record<string, string>; off?: boolean };
    state.changed = had.changed ?? {};
    state.off = had.off === true;
  } catch {
    localStorage.removeItem(STORE);
  }
  addEventListener('keydown', handle);
}
