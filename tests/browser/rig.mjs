// What the walks share: signing in, checks that count, pictures, the server's own answers.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { launch } from './launch.mjs';

export const base = (process.env.MARCADOR_URL ?? 'http://127.0.0.1:8080').replace(/\/$/, '');
/** Hang guard of one wait, ms; a call may take that long to come. */
export const LONG_MS = 120_000;

const login = (name) => {
  const [username, ...rest] = (process.env[name] ?? '').split(':');
  if (!username || !rest.length) throw new Error(`${name}=user:password is not set`);
  return { username, password: rest.join(':') };
};
export const people = {
  agent: () => login('AGENT_LOGIN'),
  supervisor: () => login('SUPERVISOR_LOGIN'),
  manager: () => login('MANAGER_LOGIN'),
  admin: () => login('ADMIN_LOGIN'),
  first: () => login('ENROL_LOGIN'),
  files: () => login('FILES_LOGIN'),
};

let passed = 0;
/** Counts a passed check; throws on a failed one. */
export function check(what, holds, seen = '') {
  if (!holds) throw new Error(`${what}${seen === '' ? '' : ` (seen: ${seen})`}`);
  passed += 1;
  console.log(`ok ${what}`);
}
export const count = () => passed;

/** Waits until `probe` gives a truthy value; `what` names what did not come. */
export async function until(what, probe, limitMs = 15_000) {
  const end = Date.now() + limitMs;
  for (;;) {
    const got = await probe();
    if (got) return got;
    if (Date.now() > end) throw new Error(`did not come in ${limitMs} ms: ${what}`);
    await new Promise((done) => setTimeout(done, 100));
  }
}

/** Money that is posted is on every open screen in less than that, ms. */
const SEEN_MS = 1_000;
/** How long it is looked for, ms: what comes too late is told with its time. */
const SEEN_MAX_MS = 10_000;

/** Posts money and checks how soon the open page shows it: by `attribute` of `selector`, or by how many there are, once more by
 * `more` (or, with `from`, at least that). */
export async function seenAtOnce(page, what, { selector, attribute = '', more = 1, from }, post) {
  const look = ([where, name, least, limit]) =>
    new Promise((done, late) => {
      const end = Date.now() + limit;
      const read = () => (name ? Number(document.querySelector(where)?.getAttribute(name) ?? NaN) : document.querySelectorAll(where).length);
      if (least === null) return done(read());
      const again = () => (read() >= least ? done(Date.now()) : Date.now() > end ? late(new Error(`not seen: ${where} is ${read()}, not ${least}`)) : setTimeout(again, 10));
      again();
    });
  const least = from ?? (await page.evaluate(look, [selector, attribute, null, 0])) + more;
  const [seen, posted] = await Promise.all([page.evaluate(look, [selector, attribute, least, SEEN_MAX_MS]), post().then(() => Date.now())]);
  check(`${what} shows money in under a second`, seen - posted < SEEN_MS, `${seen - posted} ms`);
  console.log(`   seen ${seen - posted} ms after it was posted`);
}

/** A browser whose page errors and failed policies fail the walk at its end. */
export async function open(options = {}) {
  const browser = await launch(options);
  const errors = [];
  browser.page.on('pageerror', (e) => errors.push(e.message));
  browser.page.on('console', (m) => m.type() === 'error' && /Content Security|Uncaught/.test(m.text()) && errors.push(m.text()));
  return { ...browser, errors };
}

export async function signIn(page, who, at = base) {
  await page.goto(`${at}/`);
  await page.locator('[name=username]').fill(who.username);
  await page.locator('[name=password]').fill(who.password);
  await page.locator('[type=submit]').click();
  await page.locator('header.top').waitFor({ timeout: 15_000 });
}
export async function signOut(page) {
  await page.getByRole('button', { name: /^(Salir|Cerrar sesión|Sign out)$/ }).click();
  await page.locator('[name=username]').waitFor();
}

export async function shot(page, name) {
  const folder = process.env.SHOTS;
  if (!folder) return;
  mkdirSync(folder, { recursive: true });
  await page.screenshot({ path: join(folder, `${name}.png`) });
}

/** A signed-in program beside the browser: asks the API what really is stored. */
export async function program(who) {
  const ask = async (method, path, body, token, type = 'application/json') => {
    const response = await fetch(`${base}/api/v1${path}`, {
      method,
      headers: { 'content-type': type, ...(token ? { authorization: `Bearer ${token}` } : {}) },
      body: typeof body === 'string' ? body : body ? JSON.stringify(body) : undefined,
    });
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    return response.status === 204 ? null : response.json();
  };
  const { token } = await ask('POST', '/sessions', who);
  return {
    get: (path) => ask('GET', path, undefined, token),
    post: (path, body) => ask('POST', path, body, token),
    csv: (path, rows) => ask('POST', path, rows, token, 'text/csv'),
    /** A file, whole. */
    bytes: async (path) => {
      const response = await fetch(`${base}/api/v1${path}`, { headers: { authorization: `Bearer ${token}` } });
      if (!response.ok) throw new Error(`GET ${path}: ${response.status}`);
      return response.arrayBuffer();
    },
    /** Every row of a list; `next` is how it asks for the page behind a cursor. */
    all: async (path, next = 'cursor') => {
      const rows = [];
      for (let cursor = null; ; ) {
        const page = await ask('GET', `${path}${path.includes('?') ? '&' : '?'}limit=500${cursor ? `&${next}=${encodeURIComponent(cursor)}` : ''}`, undefined, token);
        rows.push(...page.items);
        cursor = page.next_cursor;
        if (!cursor) return rows;
      }
    },
  };
}
