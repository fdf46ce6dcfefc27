// Light, dark, or as the system says.
export type Theme = 'auto' | 'light' | 'dark';
const STORE = 'marcador.theme';
const state = $state<{ theme: Theme }>({ theme: 'auto' });

export const theme = {
  get now(): Theme {
    return state.theme;
  },
};

export function setTheme(next: Theme): void {
  state.theme = next;
  if (next === 'auto') {
    delete document.documentElement.dataset.theme;
    localStorage.removeItem(STORE);
  } else {
    document.documentElement.dataset.theme = next;
    localStorage.setItem(STORE, next);
  }
}

export function startTheme(): void {
  const had = localStorage.getItem(STORE);
  if (had === 'light' || had === 'dark') setTheme(had);
}

export const isDark = (): boolean =>
  state.theme === 'dark' || (state.theme === 'auto' && matchMedia('(prefers-color-scheme: dark)').matches);
