// Own catalogues: es.json is the source of keys, en.json must satisfy the same type.
import es from '../../messages/es.json';

export type Key = keyof typeof es;
export type Lang = 'es' | 'en';
type Catalogue = Record<Key, string>;
type Values = Record<string, string | number>;
/** Keys `x_one` / `x_other` are one plural message named `x`. */
export type PluralKey = Key extends infer K ? (K extends `${infer P}_other` ? P : never) : never;

const STORE = 'marcador.lang';
const catalogues: Partial<Record<Lang, Catalogue>> = { es };
const state = $state<{ lang: Lang; text: Catalogue }>({ lang: 'es', text: es });

export const i18n = {
  get lang(): Lang {
    return state.lang;
  },
};

/** Language of the last visit, else the browser's, else Spanish. */
export function firstLang(stored: string | null, browser: readonly string[]): Lang {
  if (stored === 'es' || stored === 'en') return stored;
  for (const wish of browser) {
    const short = wish.slice(0, 2).toLowerCase();
    if (short === 'es' || short === 'en') return short;
  }
  return 'es';
}

export async function setLang(lang: Lang, keep = true): Promise<void> {
  const text = catalogues[lang] ?? ((await import('../../messages/en.json')).default satisfies Catalogue);
  catalogues[lang] = text;
  state.lang = lang;
  state.text = text;
  if (typeof document === 'undefined') return;
  document.documentElement.lang = lang;
  if (keep) localStorage.setItem(STORE, lang);
}

export const startLang = (): Promise<void> => setLang(firstLang(localStorage.getItem(STORE), navigator.languages), false);

function fill(text: string, values?: Values): string {
  return values ? text.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole)) : text;
}

export const t = (key: Key, values?: Values): string => fill(state.text[key] ?? key, values);

/** Plural by Intl.PluralRules; `{n}` is the count itself, formatted. */
export function tn(key: PluralKey, n: number, values?: Values): string {
  const rule = new Intl.PluralRules(state.lang).select(n) === 'one' ? 'one' : 'other';
  const shown = new Intl.NumberFormat(locale()).format(n);
  return t(`${key}_${rule}` as Key, { n: shown, ...values });
}

/** A word of a code list (`state.ready`, `result.busy` …); an unknown code is shown as it came. */
export function word(list: string, code: string | null | undefined): string {
  if (!code) return '–';
  return (state.text as Record<string, string>)[`${list}.${code}`] ?? code;
}

/** Text that the server gives in both languages. */
export const both = (x: { es: string; en: string }): string => (state.lang === 'en' ? x.en : x.es);

export const locale = (): string => (state.lang === 'en' ? 'en-US' : 'es-MX');
