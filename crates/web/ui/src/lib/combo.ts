// Key presses as words: pure, so the rules of the desk's keys are testable.

export interface Press {
  code: string;
  key: string;
  ctrlKey: boolean;
  altKey: boolean;
  metaKey: boolean;
  shiftKey: boolean;
}

/** `Digit1`, `F2`, `Ctrl+KeyK`, `Slash`, `Hash`, `Enter` …; null for what is never ours (Alt, AltGr, Meta, Shift). */
export function combo(press: Press): string | null {
  if (press.altKey || press.metaKey) return null;
  // These two sit on other keys in each layout, mostly behind Shift.
  if (!press.ctrlKey && press.key === '/') return 'Slash';
  if (!press.ctrlKey && press.key === '#') return 'Hash';
  if (press.shiftKey) return null;
  let code = press.code.replace(/^Numpad(\d)$/, 'Digit$1');
  if (code === 'NumpadEnter') code = 'Enter';
  if (code === '') return null;
  return press.ctrlKey ? `Ctrl+${code}` : code;
}

/** Keys that write or move inside a field, and so belong to it. */
export const belongsToField = (name: string): boolean => /^(Digit\d|Key[A-Z]|Slash|Hash|Enter|Space|Arrow\w+|Bracket\w+)$/.test(name);

/** Keys the browser keeps: search, reload, full screen, tools. */
export const forbidden = (name: string): boolean => /^(F3|F5|F11|F12|Tab|Ctrl\+Key[CVXAZRTWNL])$/.test(name);

/** What is printed on the key. */
export function printed(name: string): string {
  const known: Record<string, string> = { Slash: '/', Hash: '#', Enter: '⏎', Escape: 'Esc', Space: '␣', ArrowLeft: '←', ArrowRight: '→', BracketLeft: '[', BracketRight: ']' };
  return name
    .split('+')
    .map((part) => known[part] ?? part.replace(/^(Digit|Key)/, ''))
    .join('+');
}

/** Value of `aria-keyshortcuts` (WAI-ARIA 1.2 section 6.6). */
export function ariaShortcut(name: string): string {
  const known: Record<string, string> = { Slash: '/', Hash: '#', BracketLeft: '[', BracketRight: ']' };
  return name
    .split('+')
    .map((part) => (part === 'Ctrl' ? 'Control' : (known[part] ?? part.replace(/^(Digit|Key)/, ''))))
    .join('+');
}
