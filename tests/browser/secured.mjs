// The screens by the program's own HTTPS. With certificate files: they are what is shown, and an authority's signature on them
// is enough. With the certificate that a trial makes: a browser that was not told of it refuses; one that was is the agent's
// phone, signalled by wss, and a tone in its microphone is heard by the debtor and on the left of the recording.
// MARCADOR_URL, ADMIN_LOGIN: a new server with that certificate and a trunk `carrier`; FILES_URL, FILES_LOGIN, FILES_AUTHORITY:
// another with files for SECURED_NAME; PHONE_HEARD: folder of what debtors heard.
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { DEBTOR, atDebtor, call, chip, deviceTest, recorded, stateOf, watch } from './ears.mjs';
import { base, check, open, people, program, shot, signIn, until } from './rig.mjs';
import { Relay } from './relay.mjs';
import { longest, microphone, windows } from './tones.mjs';

/** The agent's voice. */
const AGENT = [900, 1500];
/** Time of talk before the agent hangs up. */
const TALK_MS = 4_000;
/** Least sound of the debtor in that time: he speaks in syllables and pauses. */
const SPOKEN_MS = 1_000;

/** Both servers are reached by this name: to a page that came otherwise than by HTTPS no browser gives a microphone there. */
const name = () => process.env.SECURED_NAME;
const named = (url) => `https://${name()}:${new URL(url).port}`;

/** The certificate that a server shows: its key's hash, and whether it is the name's and `ca`, or anybody, vouches for it. */
function shown(url, ca) {
  return new Promise((done, failed) => {
    const { hostname, port } = new URL(url);
    const socket = connect({ host: hostname, port: Number(port), servername: name(), ca, rejectUnauthorized: false }, () => {
      const key = socket.getPeerX509Certificate().publicKey.export({ type: 'spki', format: 'der' });
      const pin = createHash('sha256').update(key).digest('base64');
      done({ pin, trusted: socket.authorized, why: String(socket.authorizationError), protocol: socket.getProtocol() });
      socket.destroy();
    });
    socket.on('error', failed);
  });
}

/** A browser that finds the name here and takes a certificate of that key, and of no other, unsigned. */
const browserThatKnows = (pin, mic = false) =>
  open({ mic, flags: [`--host-resolver-rules=MAP ${name()} 127.0.0.1`, `--ignore-certificate-errors-spki-list=${pin}`] });

/** Origins from which messages came by websocket. */
function told(page) {
  const from = new Set();
  page.on('websocket', (socket) => socket.on('framereceived', () => from.add(new URL(socket.url()).origin)));
  return from;
}

async function bySocket(page, from, url) {
  const wanted = named(url).replace('https', 'wss');
  await until('messages by wss', () => from.has(wanted));
  check('its messages come by wss and nowhere else', from.size === 1, [...from].join());
  check('the page came by HTTPS', (await page.evaluate(() => location.protocol)) === 'https:');
  const cookies = await page.context().cookies();
  check('every cookie is for HTTPS alone', cookies.length > 0 && cookies.every((c) => c.secure), cookies.map((c) => c.name).join());
}

/** Certificate files: what they say is shown; and this browser, told of them alone, refuses the other server. */
async function byFiles(files, own) {
  const browser = await browserThatKnows(files.pin);
  const { page } = browser;
  const url = process.env.FILES_URL;
  try {
    const refused = await page.goto(`${named(base)}/`).then(() => '', (error) => error.message);
    check('a browser that was not told of a certificate refuses it', /ERR_CERT/.test(refused), refused);
    check('the two certificates are two', files.pin !== own.pin);
    const from = told(page);
    await signIn(page, people.files(), named(url));
    await bySocket(page, from, url);
  } catch (error) {
    await shot(page, 'secured-files-failed');
    throw error;
  } finally {
    await browser.close();
  }
}

/** A client with one debtor, a running campaign on him, and an agent. */
async function floor(office) {
  const client = (await office.post('/clients', { name: 'Acme', callback_number: '+51911000000' })).id;
  await office.post('/caller-ids', { client_id: client, number: '+51911000000', country: 'PE', registered: true, enabled: true });
  const portfolio = { client_id: client, name: 'Consumo', currency: 'PEN', creditor_kind: 'financial', zone: 'America/Lima' };
  await office.post('/portfolios', portfolio);
  const rows = 'external_ref,debt_ref,name,country,balance,days_past_due,phone_mobile,phone_authorised,phone_given_by_debtor\n'
    + '1,A1,Ana Ruiz,PE,100.00,30,+51911001066,yes,yes\n';
  const { report } = await office.csv(`/imports?client=${client}&portfolio=Consumo`, rows);
  check('a debtor by HTTPS', report.debtors_new === 1, JSON.stringify(report));
  const segment = (await office.post('/segments', { client_id: client, name: 'Todo', expression: 'balance > 0.00' })).id;
  const params = { mode: 'progressive', trunks: ['carrier'], window_from: '00:00', window_to: '24:00' };
  const campaign = (await office.post('/campaigns', { client_id: client, name: 'Una', segment_id: segment, params })).id;
  const made = await office.post('/users', { username: 'gestora', display_name: 'Gestora', role: 'agent' });
  await office.post('/agents', { user_id: made.user.id, name: 'Gestora', sip_user: 'gestora' });
  await office.post(`/campaigns/${campaign}/start`, {});
  return { username: 'gestora', password: made.password };
}

/** What was recorded and what the debtor heard. */
async function proofs(office, attempt) {
  const { rate, left, right } = await recorded(office, attempt);
  const of = (samples, hz) => windows(samples, rate, hz);
  const [spoken, debtor] = [of(left, AGENT), of(right, DEBTOR)];
  check('left: the microphone\'s tone', longest(spoken, 'tone') >= 1_000, spoken.join(' '));
  check('left: never the debtor', !of(left, DEBTOR).includes('tone'));
  check('right: the debtor', debtor.filter((kind) => kind === 'tone').length * 200 >= SPOKEN_MS, debtor.join(' '));
  check('right: never the agent', !of(right, AGENT).includes('tone'));
  const heard = await atDebtor(attempt);
  const kinds = windows(heard.samples, heard.rate, AGENT);
  check('the debtor heard the microphone\'s tone', longest(kinds, 'tone') >= 1_000, kinds.join(' '));
}

/** The agent's phone in a browser that takes the certificate of a trial. */
async function byTrial(own, mic) {
  const office = await program(people.admin());
  const agent = await floor(office);
  const browser = await browserThatKnows(own.pin, mic);
  const { page } = browser;
  const relay = new Relay();
  await browser.context.exposeFunction('relayTo', (port) => relay.to(port));
  await browser.context.addInitScript(watch);
  const from = told(page);
  try {
    await signIn(page, agent, named(base));
    await until('the browser is the phone', async () => /^(Navegador|Browser)$/.test((await chip(page)).trim()), 30_000);
    check('the browser is the phone by HTTPS', true);
    await bySocket(page, from, base);
    await deviceTest(page);
    const attempt = await call(page);
    await page.waitForTimeout(TALK_MS);
    await shot(page, 'secured-call');
    await page.keyboard.press('F9');
    await until('the end', async () => (await stateOf(page)) !== 'talking', 10_000);
    await proofs(office, attempt);
    check('no errors on the page', browser.errors.length === 0, browser.errors.join('; '));
  } catch (error) {
    await shot(page, 'secured-failed');
    throw error;
  } finally {
    relay.close();
    await browser.close();
  }
}

export async function secured() {
  const folder = mkdtempSync(join(tmpdir(), 'marcador-mic-'));
  const mic = join(folder, 'tones.wav');
  writeFileSync(mic, microphone(AGENT));
  try {
    const clear = await fetch(base.replace('https:', 'http:')).then(() => true, () => false);
    check('nothing is served in clear beside it', base.startsWith('https:') && !clear, base);
    const own = await shown(base);
    check('the certificate of a trial is vouched for by nobody', !own.trusted && /SELF_SIGNED/.test(own.why), own.why);
    check('by TLS 1.2 or newer', /^TLSv1\.[23]$/.test(own.protocol), own.protocol);
    const files = await shown(process.env.FILES_URL, readFileSync(process.env.FILES_AUTHORITY));
    check('certificate files: their authority vouches for them', files.trusted, files.why);
    await byFiles(files, own);
    await byTrial(own, mic);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
