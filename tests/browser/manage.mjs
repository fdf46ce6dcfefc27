// A campaign manager's morning: import with a dry run, segment with its count, campaign from start to stop, its settings by draft and version,
// a file of consents, why-not, a visit, recordings;
// and from a file of his own to its first call.
import { readFileSync } from 'node:fs';
import { axe } from './a11y.mjs';
import { consents, lines, settings } from './settings.mjs';
import { check, LONG_MS, open, people, program, shot, signIn, signOut, until } from './rig.mjs';
import { visits } from './visits.mjs';

const SAMPLE = new URL('../../config/portfolio/sample.csv', import.meta.url);
/** Unique per run, so that a walk may be repeated on one demo. */
const STAMP = Date.now().toString(36);
const go = (page, name) => page.getByRole('navigation').getByRole('link', { name }).last().click();
const figure = async (page, report, key) => Number((await page.locator(`[data-report=${report}] [data-figure=${key}]`).innerText()).replace(/\D/g, ''));

/** Two rows of the sample portfolio: one whole, one whose first phone is broken. */
function damaged() {
  const [head, good, other] = readFileSync(SAMPLE, 'utf8').split(/\r?\n/);
  const broken = other.replace(/\+?\d{9,15}/, '12');
  if (broken === other) throw new Error('no phone in the sample row');
  return Buffer.from(`${[head, good, broken].join('\n')}\n`);
}

async function imports(page) {
  await go(page, /^(Cartera|Portfolio)$/);
  check('unsigned packs are shown over the portfolio', await page.locator('.page [data-standing]').isVisible());
  await page.locator('[type=file]').setInputFiles({ name: 'cartera.csv', mimeType: 'text/csv', buffer: damaged() });
  await page.getByRole('button', { name: /^(Validar|Check|Comprobar)/ }).click();
  await page.locator('[data-report=dry]').waitFor();
  check('the dry run reads two rows', (await figure(page, 'dry', 'rows')) === 2);
  check('the dry run refuses the broken one', (await figure(page, 'dry', 'refused')) === 1);
  const fault = await page.locator('[data-report=dry] tbody tr').first().innerText();
  check('the refusal names row and value', /3/.test(fault) && /12/.test(fault), fault);
  await page.locator('[data-preview-law]').click();
  const law = page.locator('[data-report=dry] [data-import-law]');
  await law.locator('.chip').first().waitFor();
  check('what the law says of the list is told before it is accepted', /\b1\b/.test(await law.locator('.hint').innerText()), await law.innerText());
  await shot(page, 'campaigns-import');
  await page.locator('[data-preview-law]').click();
  await page.locator('button.primary').last().click();
  await page.locator('[data-report=done]').waitFor({ timeout: 30_000 });
  check('the import says the same', (await figure(page, 'done', 'refused')) === 1);
}

async function segments(page) {
  await go(page, /^(Segmentos|Segments)$/);
  await page.locator('[name=expression]').fill('days_past_due between 31');
  await page.locator('#seg-state .note.bad').first().waitFor();
  check('a broken expression says where', /\d/.test(await page.locator('#seg-state .note.bad').first().innerText()));
  await page.locator('[name=name]').fill(`Tramo ${STAMP}`);
  await page.locator('[name=expression]').fill('days_past_due between 31 and 90 and balance > 0.00');
  const count = Number(await page.locator('[data-count]').getAttribute('data-count', { timeout: 15_000 }));
  check('the segment counts while one types', count > 0, count);
  await shot(page, 'campaigns-segment');
  await page.keyboard.press('Control+Enter');
  await page.locator('.toasts .note.good').first().waitFor();
  check('the segment is saved', (await page.locator('ul.list').innerText()).includes(`Tramo ${STAMP}`));
  return page.locator('form a[href*="/campanas/deudores/"]').first().getAttribute('href');
}

/** By keyboard alone: a segment of rows and a group inside, beside its text; each is read into the other. Saved, changed, and back. */
async function builder(page) {
  await go(page, /^(Segmentos|Segments)$/);
  await page.getByRole('button', { name: /^(Nuevo segmento|New segment)/ }).click();
  const box = page.locator('[data-builder]');
  const text = page.locator('[name=expression]');
  const held = () => page.locator(':focus');
  const press = (key) => page.keyboard.press(key);
  const add = (name) => box.getByRole('button', { name });
  await add(/^(Condición|Condition)$/).first().focus();
  await press('Enter');
  await until('the new row has the focus', async () => (await held().getAttribute('name')) === 'field');
  await held().selectOption('days_past_due');
  await press('Tab');
  await held().selectOption('between');
  await press('Tab');
  check('a row without a value does not count yet', (await page.locator('[data-waiting="1"]').count()) === 1 && (await text.inputValue()) === '');
  await page.keyboard.type('31');
  await press('Tab');
  await page.keyboard.type('90');
  check('the text follows the rows', (await text.inputValue()) === 'days_past_due between 31 and 90', await text.inputValue());
  await add(/^(Grupo|Group)$/).first().focus();
  await press('Enter');
  await until('the new group has the focus', async () => (await held().getAttribute('name')) === 'join');
  const inner = box.locator('fieldset fieldset');
  await inner.getByRole('button', { name: /^(no|not)$/ }).first().focus();
  await press('Space');
  for (const field of ['suppressed', 'callable_now']) {
    await inner.getByRole('button', { name: /^(Condición|Condition)$/ }).focus();
    await press('Enter');
    await until('the row of the group has the focus', async () => (await held().getAttribute('name')) === 'field');
    await held().selectOption(field);
  }
  const whole = 'days_past_due between 31 and 90 and not (suppressed or callable_now)';
  check('a group is negated and joined by any', (await text.inputValue()) === whole, await text.inputValue());
  await inner.locator('[data-row=callable_now]').getByRole('button', { name: /^(Quitar condición|Remove condition)/ }).focus();
  await press('Enter');
  await until('the row is gone', async () => (await inner.locator('[data-row]').count()) === 1);
  await until('its exact count', () => page.locator('[data-count][data-exact=true]').count());
  const counted = Number(await page.locator('[data-count]').getAttribute('data-count'));
  check('what is built by hand is counted', counted > 0, counted);
  check('its balance is shown', /\d/.test(await page.locator('#seg-state dl div').nth(2).locator('dd').innerText()));
  // Figures of before are dimmed while the next are counted.
  await page.locator('#seg-state[aria-busy=false]').waitFor();
  await axe(page, 'a segment built by hand');
  await shot(page, 'campaigns-segment-rows');
  await page.locator('[name=name]').fill(`A mano ${STAMP}`);
  await press('Control+Enter');
  await page.locator('.toasts .note.good').filter({ hasText: `A mano ${STAMP}` }).waitFor();
  // The text is read into the rows; what they cannot show is said and stays.
  await text.fill("saldo >= 1 y (tramo en (b31_60, b61_90) o no no bloqueado)");
  await until('the rows follow the text', async () => (await box.locator('[data-row]').count()) === 3);
  check('rows show the words of a vocabulary', (await box.locator('[data-row=bucket] input:checked').count()) === 2);
  check('what rows cannot show is said', (await box.locator('[data-fixed="1"]').count()) === 1 && (await box.locator('[data-row=fixed] code').innerText()) === 'not not on_hold');
  await text.fill('saldo >=');
  await page.locator('#seg-state .note.bad').first().waitFor();
  check('rows beside a broken text cannot be used', (await box.locator('[inert]').count()) === 1);
  await text.fill('days_past_due between 31 and 60');
  await until('the rows are there again', async () => (await box.locator('[data-row]').count()) === 1 && (await box.locator('[inert]').count()) === 0);
  await press('Control+Enter');
  await page.locator('.toasts .note.good').last().waitFor();
  await page.locator('[data-versions] summary').click();
  await page.locator('[data-version="2"]').waitFor();
  check('what a version changed is said in words', (await page.locator('[data-version="2"] [data-what=changed]').innerText()).includes('90') && (await page.locator('[data-version="2"] [data-what=removed]').count()) === 1);
  await page.locator('[data-version="1"]').getByRole('button').click();
  await page.locator('[data-version="3"]').waitFor();
  check('going back is a new version that says what the old one said', (await text.inputValue()) === 'days_past_due between 31 and 90 and not suppressed', await text.inputValue());
  // Figures of the text before are pale until its own are there.
  const state = page.locator('#seg-state[aria-busy=false]');
  await until('its exact count', () => state.filter({ has: page.locator('[data-explained]', { hasText: '90' }) }).locator('[data-exact=true]').count());
  await axe(page, 'versions of a segment');
  await shot(page, 'campaigns-segment-versions');
}

/** At the smallest desk a page is as wide as its window, and so is the table that it is about. */
async function fits(page, what) {
  const over = await page.evaluate(() => {
    const wide = document.documentElement.scrollWidth - window.innerWidth;
    const tables = [...document.querySelectorAll('main .scroll')].map((box) => box.scrollWidth - box.clientWidth);
    return { width: window.innerWidth, wide, table: Math.max(0, ...tables) };
  });
  check(`${what} fits into ${over.width} px`, over.wide <= 0 && over.table <= 1, JSON.stringify(over));
}

/** An objection is written into the demo's script: refused where it is not polite, kept as a new version when it is. */
async function scripts(page) {
  await go(page, /^(Guiones|Scripts)$/);
  await page.locator('ul.list button').first().click();
  const rows = page.locator('form.editor > ol').last().locator('> li');
  const before = await rows.count();
  check('the demo has objections with answers', before > 5, before);
  await page.getByRole('button', { name: /^(Agregar objeción|Add objection)$/ }).click();
  const row = rows.last();
  const [says, saysEn] = await row.locator('input.input').all();
  const [answer, answerEn] = await row.locator('textarea').all();
  await says.fill(`Estoy de viaje ${STAMP}`);
  await saysEn.fill('I am travelling');
  await answer.fill('No sea irresponsable.');
  await answerEn.fill('May I call you when you are back?');
  await page.keyboard.press('Control+Enter');
  await row.locator('.fault').first().waitFor();
  check('a rude answer is refused at its place', /irresponsable/.test(await row.locator('.fault').first().innerText()));
  await answer.fill('¿Le llamo a su regreso?');
  await page.keyboard.press('Control+Enter');
  await page.locator('.toasts .note.good').filter({ hasText: /Guion guardado|Script saved/ }).waitFor();
  check('the objection is kept with the script', (await rows.count()) === before + 1);
  await shot(page, 'campaigns-script');
}

async function campaign(page, office) {
  await go(page, /^(Campañas|Campaigns)$/);
  await page.locator('[data-campaign]').first().waitFor();
  await fits(page, 'the list of campaigns');
  await shot(page, 'campaigns');
  await page.keyboard.press('n');
  await page.locator('dialog [name=name]').fill(`Walk ${STAMP}`);
  await page.locator('dialog [name=segment]').selectOption({ label: `Tramo ${STAMP}` });
  await page.locator('dialog [name=mode]').selectOption('progressive');
  await page.locator('dialog [type=submit]').click();
  const row = page.locator(`[data-campaign="Walk ${STAMP}"]`);
  await row.waitFor();
  await row.getByRole('button', { name: /^(Iniciar|Start)/ }).click();
  await until('the campaign runs', async () => (await row.getAttribute('data-status')) === 'running');
  const stored = (await office.all('/campaigns')).find((c) => c.name === `Walk ${STAMP}`);
  check('the campaign runs in the store too', stored?.status === 'running', stored?.status);
  await row.getByRole('button', { name: /^(Detener|Stop)/ }).click();
  await until('the campaign stops', async () => (await row.getAttribute('data-status')) === 'stopped');
  check('a campaign starts and stops', true);
  await whatIf(page, row);
  await settings(page, office, `Walk ${STAMP}`);
  await lines(page, office, `Walk ${STAMP}`);
}

/** Before it goes live: the same campaign with other settings, and settings that cannot be dialed. */
async function whatIf(page, row) {
  await row.getByRole('button', { name: /^(¿Qué pasaría|What if)/ }).click();
  const ask = () => page.locator('dialog [type=submit]').click();
  await page.locator('dialog [name=mode]').selectOption('predictive');
  await page.locator('dialog [name=hours]').fill('0.5');
  await page.locator('dialog [name=agents]').fill('10');
  await ask();
  await page.locator('[data-whatif=table]').waitFor({ timeout: LONG_MS });
  const heads = await page.locator('[data-whatif=table] thead th').count();
  const cells = await page.locator('[data-whatif=table] tbody tr td:nth-child(3)').allInnerTexts();
  check('the what-if shows today beside what was asked', heads === 3 && cells.filter((c) => /\d/.test(c)).length > 8, cells);
  check('with little history it says so', (await page.locator('[data-whatif=history].warn').count()) === 1);
  await shot(page, 'campaigns-what-if');
  await page.locator('dialog [name=target]').fill('0');
  await ask();
  await page.locator('dialog .note.bad').waitFor({ timeout: LONG_MS });
  const refusal = await page.locator('dialog .note.bad').innerText();
  check('what cannot be dialed is refused with the reason', /params\.mode: .*target 0.*progressive/.test(refusal), refusal);
  await page.keyboard.press('Escape');
  await page.locator('dialog').waitFor({ state: 'hidden' });
}

/** Debtors that nobody knew: one amount tells them from all others. */
function fresh(overdue) {
  const [head] = readFileSync(SAMPLE, 'utf8').split(/\r?\n/);
  const rows = Array.from({ length: 12 }, (_, n) => {
    const digits = String(Date.now() + n).slice(-7);
    return `W${STAMP}-${n},WC${STAMP}-${n},Persona de la Prueba,WALK${STAMP}${n},MX,CMX,tarjeta de crédito,MXN,9000.00,0.00,0.00,${overdue},500.00,45,+52558${digits},,yes,yes`;
  });
  return Buffer.from(`${[head, ...rows].join('\n')}\n`);
}

/** Nobody explains anything: a file, a segment, a campaign, and somebody is called. */
async function firstCall(page, office) {
  const since = Date.now();
  const overdue = `${4000 + (Date.now() % 900)}.37`;
  await go(page, /^(Cartera|Portfolio)$/);
  const mxn = await page.locator('[name=portfolio] option').filter({ hasText: 'MXN' }).first().getAttribute('value');
  await page.locator('[name=portfolio]').selectOption(mxn);
  await page.locator('[type=file]').setInputFiles({ name: 'nueva.csv', mimeType: 'text/csv', buffer: fresh(overdue) });
  await page.getByRole('button', { name: /^(Validar|Check|Comprobar)/ }).click();
  await page.locator('[data-report=dry]').waitFor();
  check('the new file has no refused row', (await figure(page, 'dry', 'refused')) === 0);
  await page.locator('button.primary').last().click();
  await page.locator('[data-report=done]').waitFor({ timeout: LONG_MS });
  await go(page, /^(Segmentos|Segments)$/);
  await page.locator('[name=name]').fill(`Nuevos ${STAMP}`);
  await page.locator('[name=expression]').fill(`overdue = ${overdue}`);
  await page.locator('[data-count="12"]').waitFor();
  check('the segment holds the file and nothing else', true);
  await page.keyboard.press('Control+Enter');
  await page.locator('.toasts .note.good').first().waitFor();
  await go(page, /^(Campañas|Campaigns)$/);
  await page.locator('[data-campaign]').first().waitFor();
  await page.keyboard.press('n');
  await page.locator('dialog [name=name]').fill(`Primera ${STAMP}`);
  await page.locator('dialog [name=segment]').selectOption({ label: `Nuevos ${STAMP}` });
  await page.locator('dialog [name=mode]').selectOption('progressive');
  await page.locator('dialog [type=submit]').click();
  const row = page.locator(`[data-campaign="Primera ${STAMP}"]`);
  await row.getByRole('button', { name: /^(Iniciar|Start)/ }).click();
  await until('the campaign runs', async () => (await row.getAttribute('data-status')) === 'running');
  const { id } = (await office.all('/campaigns')).find((c) => c.name === `Primera ${STAMP}`);
  const call = await until('its first call', async () => (await office.get(`/attempts?campaign=${id}`)).items[0], LONG_MS);
  console.log(`figure: from the file to its first call ${((Date.now() - since) / 1000).toFixed(0)} s`);
  await go(page, /^(Gestiones|Attempts|Calls)$/);
  await page.locator('h1 ~ .row select').first().selectOption(id);
  await page.locator(`tbody a[href$="/gestiones/${call.id}"]`).waitFor();
  check('the first call of the file is on the list', true);
  await shot(page, 'campaigns-first-call');
  await go(page, /^(Campañas|Campaigns)$/);
  await row.getByRole('button', { name: /^(Detener|Stop)/ }).click();
  await until('the campaign stops', async () => (await row.getAttribute('data-status')) === 'stopped');
}

/** Debtors of the file just called allow and refuse contact by another one. */
async function consentFile(page, office) {
  await go(page, /^(Cartera|Portfolio)$/);
  const mxn = await page.locator('[name=portfolio] option').filter({ hasText: 'MXN' }).first().getAttribute('value');
  await page.locator('[name=portfolio]').selectOption(mxn);
  await consents(page, office, [`W${STAMP}-0`, `W${STAMP}-1`]);
}

async function whyNot(page, href) {
  await page.goto(new URL(href, page.url()).href);
  await page.locator('#why-title').waitFor();
  await page.locator('section[aria-labelledby=why-title] .chip').first().waitFor();
  await page.locator('section[aria-labelledby=why-title] summary').click();
  await fits(page, 'a debtor file');
  check('why-not names its rules', (await page.locator('section[aria-labelledby=why-title] .verdict li').count()) > 0);
  await shot(page, 'campaigns-debtor');
}

async function recordings(page) {
  await go(page, /^(Grabaciones|Recordings)$/);
  await page.getByRole('button', { name: /^(Escuchar|Listen|Reproducir|Play)/ }).first().click();
  await until('both channels of a recording', async () => (await page.locator('.track svg path').count()) === 2);
  check('a recording shows two channels', true);
  const length = await until('its length', () => page.locator('audio').evaluate((a) => (Number.isFinite(a.duration) ? a.duration : 0)));
  check('a recording can be played', length > 0.2, length);
  await shot(page, 'campaigns-recording');
}

export async function manage() {
  const browser = await open();
  const { page } = browser;
  const office = await program(people.manager());
  try {
    await signIn(page, people.manager());
    await imports(page);
    const debtor = await segments(page);
    await builder(page);
    await scripts(page);
    await campaign(page, office);
    await firstCall(page, office);
    await consentFile(page, office);
    await whyNot(page, debtor);
    await visits(page, office, (await office.all('/clients'))[0].id);
    await recordings(page);
    await signOut(page);
    check('no errors on the page', browser.errors.length === 0, browser.errors.join('; '));
  } catch (error) {
    await shot(page, 'manage-failed');
    throw error;
  } finally {
    await browser.close();
  }
}
