// The address bar as state: path and query, no library.
const state = $state({ path: '/', query: '' });

function read(): void {
  state.path = location.pathname;
  state.query = location.search;
}

export const route = {
  get path(): string {
    return state.path;
  },
  get query(): URLSearchParams {
    return new URLSearchParams(state.query);
  },
  /** Part `n` of the path: 0 of `/campanas/segmentos` is `campanas`. */
  part(n: number): string {
    return state.path.split('/').filter(Boolean)[n] ?? '';
  },
};

export function go(to: string, replace = false): void {
  if (to === location.pathname + location.search) return;
  history[replace ? 'replaceState' : 'pushState'](null, '', to);
  read();
}

/** Takes plain clicks on links of our own; everything else stays the browser's. */
export function startRouter(): void {
  read();
  addEventListener('popstate', read);
  document.addEventListener('click', (event) => {
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const link = (event.target as Element | null)?.closest?.('a[href]');
    if (!(link instanceof HTMLAnchorElement) || link.target || link.hasAttribute('download')) return;
    if (link.origin !== location.origin || /^\/(api|ws|docs|assets)/.test(link.pathname)) return;
    if (link.pathname === location.pathname && link.hash) return;
    event.preventDefault();
    go(link.pathname + link.search);
  });
}
