// One registry feeds the handler, aria-keyshortcuts, the <kbd> hints, the F1 sheet and the command bar.
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
const state = $state<{ actions: Action[]; changed: Record<string, string>; off: boolean }>({ actions: [], changed: {}, off: false });

export const keys = {
  get actions(): readonly Action[] {
    return state.actions;
  },
  get off(): boolean {
    return state.off;
  },
  set off(value: boolean) {
    state.off = value;
    keep();
  },
  of(id: string): string {
    const action = state.actions.find((a) => a.id === id);
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
    if (forbidden(key) || state.actions.some((a) => a.id !== id && keys.of(a.id) === key)) return false;
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

export function register(actions: Action[]): () => void {
  const ids = new Set(actions.map((a) => a.id));
  state.actions = [...state.actions.filter((a) => !ids.has(a.id)), ...actions];
  return () => {
    state.actions = state.actions.filter((a) => !actions.includes(a));
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
  const action = state.actions.find((a) => keys.of(a.id) === name && (!dialog || a.overDialogs) && (a.when?.() ?? true));
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
