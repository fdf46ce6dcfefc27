// The law's faces: why nobody is dialed, down to one debtor and an hour; do-not-call and lists; consents, preferences, complaints, packs on trial, registers.
import { readFileSync } from 'node:fs';
import { axe, axeLightAndDark } from './a11y.mjs';
import { base, check, open, people, program, shot, signIn, signOut, until } from './rig.mjs';

/** Unique per run, so that a walk may be repeated on one demo. */
const STAMP = Date.now().toString(36);
const PACK = new URL('../../config/rulepacks/mx-condusef.json', import.meta.url);
const PATHS = ['/cumplimiento', '/cumplimiento/deudores', '/cumplimiento/no-llamar', '/cumplimiento/quejas', '/cumplimiento/reglas', '/cumplimiento/contrato', '/cumplimiento/registros'];
const section = (page, name) => page.locator('nav.tabs').getByRole('link', { name }).click();
const saved = (page) => page.locator('dialog').waitFor({ state: 'detached' });

/** Counts by reason, the rows behind one, and the way to a debtor. */
async function whyNot(page, office) {
  await page.goto(`${base}/cumplimiento`);
  await page.locator('[data-why-debtors]').waitFor();
  check('unsigned packs are shown as such on each page', await page.locator('[data-standing]').isVisible());
  const campaign = await page.locator('h1 ~ .row select, .row select.pick').first().inputValue();
  const asked = await office.get(`/campaigns/${campaign}/why-not`);
  check('nobody is held back without a stored reason', asked.unexplained === 0, asked.unexplained);
  const row = page.locator('[data-reason]').first();
  await row.getByRole('button').click();
  const link = page.locator('[data-rows] tbody a').first();
  await link.waitFor();
  check('a count opens into its debtors', (await page.locator('[data-rows] tbody tr').count()) > 0);
  await shot(page, 'law-why-not');
  await axe(page, 'why-not with its rows');
  await link.click();
  await page.locator('section[aria-labelledby=why-title] .chip').first().waitFor();
  return new URL(page.url()).pathname.split('/').pop();
}

/** The same debtor at three in the night: refused by the hours, whatever holds now. */
async function atNight(page) {
  const why = page.locator('section[aria-labelledby=why-title]');
  await why.locator('[name=at]').fill('2026-12-01T03:00');
  await why.locator('button[type=submit]').click();
  await until('an answer about the night', async () => /3:00/.test(await why.locator('.chip').first().innerText()));
  check('at three in the night he may not be called', await why.locator('.row .chip.danger').first().isVisible());
  await why.locator('summary').click();
  check('the rules and the standing of their pack are named', (await why.locator('.verdict li').count()) > 0 && (await why.locator('.verdict .chip.pause').count()) > 0);
}

async function wishes(page, office, debtor) {
  await page.locator('[data-consents] .head button').click();
  await page.locator('dialog [name=proof]').fill(`rec-${STAMP}`);
  await page.locator('dialog button.primary').click();
  await saved(page);
  await page.locator('[data-consents] tbody tr', { hasText: `rec-${STAMP}` }).waitFor();
  check('a consent is kept with its proof', (await office.all(`/consents?debtor=${debtor}`)).some((c) => c.proof === `rec-${STAMP}`));
  await page.locator('[data-preferences] .head button').click();
  await page.locator('dialog [name=kind]').selectOption('not_between');
  await page.locator('dialog [name=from]').fill('00:00');
  await page.locator('dialog [name=to]').fill('23:59');
  await page.locator('dialog [name=proof]').fill(`rec-${STAMP}`);
  await shot(page, 'law-preference');
  await page.locator('dialog button.primary').click();
  await saved(page);
  const row = page.locator('[data-preferences] tbody tr', { hasText: `rec-${STAMP}` });
  await row.waitFor();
  const held = await office.get(`/debtors/${debtor}/why-not`);
  check('the preference binds at once', held.verdicts.every((v) => v.decision === 'deny' || v.decision === 'defer'));
  await row.getByRole('button').click();
  await page.locator('dialog [name=reason]').fill('prueba del recorrido');
  await page.locator('dialog button.primary').click();
  await saved(page);
  await row.locator('.chip.off').waitFor();
  check('a preference is revoked with a reason', true);
  await axe(page, 'a debtor before the law');
}

async function listings(page, office) {
  await section(page, /^(No llamar|Do not call)$/);
  const number = `+52558${String(Date.now()).slice(-7)}`;
  await page.locator('[data-suppressions]').waitFor();
  await page.keyboard.press('n');
  await page.locator('dialog [name=value]').fill(number);
  await axe(page, 'the do-not-call dialog');
  await page.locator('dialog button.primary').click();
  await saved(page);
  const stored = (await office.all('/suppressions')).find((s) => s.value === number);
  check('a number is listed', stored && stored.lifted_at === null);
  const row = page.locator(`[data-suppression="${stored.id}"]`);
  check('it is shown by its last digits alone', !(await row.innerText()).includes(number.slice(0, 8)));
  await row.getByRole('button').click();
  await page.locator('dialog [name=reason]').fill('prueba del recorrido');
  await page.locator('dialog button.primary').click();
  await saved(page);
  await until('the lift', async () => (await office.get(`/suppressions/${stored.id}`)).lifted_at);
  check('a listing is lifted with a reason', true);
  await page.locator('[name=list-name]').fill(`LISTA ${STAMP}`);
  await page.locator('[name=list-file]').setInputFiles({ name: 'lista.txt', mimeType: 'text/plain', buffer: Buffer.from('+525587654321\n+525587654322\nsin numero\n') });
  await page.locator('[data-list-files] button.primary').click();
  await page.locator('[data-loaded]').waitFor({ timeout: 30_000 });
  check('a list is loaded and its bad line is named', (await page.locator('[data-loaded]').getAttribute('data-loaded')) === '2' && /3/.test(await page.locator('[data-loaded] li').first().innerText()));
  await shot(page, 'law-do-not-call');
  const list = page.locator(`[data-list="LISTA ${STAMP}"]`);
  await list.getByRole('button').click();
  await page.locator('dialog [name=reason]').fill('prueba del recorrido');
  await page.locator('dialog button.primary').click();
  await saved(page);
  await list.locator('.chip.off').waitFor();
  check('a list is retired', true);
}

async function complaints(page, office, debtor) {
  const { debtor: file } = await office.get(`/debtors/${debtor}`);
  for (const [number, days] of [[`Q-${STAMP}-1`, 9], [`Q-${STAMP}-2`, -3]]) {
    await section(page, /^(Quejas|Complaints)$/);
    await page.keyboard.press('n');
    const day = new Date(Date.parse((await office.get('/clock')).now) + days * 86_400_000).toISOString().slice(0, 10);
    await page.locator('dialog [name=debtor]').fill(file.external_ref);
    await page.locator('dialog [name=authority]').fill('REDECO');
    await page.locator('dialog [name=number]').fill(number);
    await page.locator('dialog [name=deadline]').fill(day);
    await page.locator('dialog [name=summary]').fill('Llamadas fuera de horario');
    await page.locator('dialog button.primary').click();
    await saved(page);
    await page.locator(`[data-complaint="${number}"]`).waitFor();
  }
  check('overdue comes first', (await page.locator('[data-complaint]').first().getAttribute('data-overdue')) === 'true');
  check('overdue is told above the list', Number(await page.locator('[data-late]').getAttribute('data-late')) >= 1);
  await shot(page, 'law-complaints');
  await axe(page, 'complaints');
  const row = page.locator(`[data-complaint="Q-${STAMP}-2"]`);
  const [file_] = await Promise.all([page.waitForEvent('download'), row.getByRole('button', { name: /^(Expediente|Evidence)/ }).click()]);
  const zip = readFileSync(await file_.path());
  check('the evidence is an archive', zip.subarray(0, 2).toString() === 'PK' && zip.length > 500, zip.length);
  await row.getByRole('button', { name: /^(Responder|Answer)/ }).click();
  await page.locator('dialog [name=answer]').fill('Se corrigió');
  await page.locator('dialog button.primary').click();
  await saved(page);
  const stored = (await office.all('/complaints')).find((c) => c.number === `Q-${STAMP}-2`);
  check('an answer is kept', stored.state === 'answered', stored.state);
}

async function packs(page) {
  await section(page, /^(Reglas|Rules)$/);
  await page.locator('[data-pack=mx-condusef]').waitFor();
  check('twelve packs with their standing', (await page.locator('[data-pack]').count()) === 12 && (await page.locator('[data-pack][data-signed=false] .chip.pause').count()) === 12);
  const tried = JSON.parse(readFileSync(PACK, 'utf8'));
  tried.version = `walk-${STAMP}`;
  // Calls of the demo's morning would have been too early for this one.
  for (const w of tried.windows) Object.assign(w, { from: '21:00', to: '22:00' });
  const file = page.locator('[data-dry-run] [name=pack]');
  await file.setInputFiles({ name: 'nuevo.json', mimeType: 'application/json', buffer: Buffer.from(JSON.stringify({ ...tried, windoes: [] })) });
  await page.locator('[data-dry-run] button.primary').click();
  await page.locator('[data-dry-run] .note.bad').waitFor({ timeout: 30_000 });
  check('a pack with an unknown field is refused by its name', /windoes/.test(await page.locator('[data-dry-run] .note.bad').innerText()), await page.locator('[data-dry-run] .note.bad').innerText());
  await file.setInputFiles({ name: 'nuevo.json', mimeType: 'application/json', buffer: Buffer.from(JSON.stringify(tried)) });
  await page.locator('[data-dry-run] button.primary').click();
  await page.locator('[data-dry]').waitFor({ timeout: 60_000 });
  const figure = async (name) => Number((await page.locator(`[data-figure="${name}"] td`).first().innerText()).replace(/\D/g, ''));
  check('the trial reads the calls of the last days', (await figure('law.read')) > 0);
  check('it says how many would have been stopped', (await figure('law.newlyBlocked')) <= (await figure('law.concerned')));
  await shot(page, 'law-packs');
  await axe(page, 'packs with a trial');
}

/** The hours of a client's contract: a fault told at its field, then in force, in words and for his debtors; taken back at the end. */
async function contract(page, office, debtor) {
  const { debtor: file } = await office.get(`/debtors/${debtor}`);
  const asked = () => office.get(`/clients/${file.client_id}/law`);
  await section(page, /^(Contrato|Contract)$/);
  await page.locator('[data-contract]').waitFor();
  const before = (await asked()).version;
  const publish = async (version) => {
    await page.locator('form button.primary').click();
    await page.locator(`[data-contract="${version}"]`).waitFor();
  };
  await page.locator('[data-caps] [data-add]').click();
  await page.locator('form button.primary').click();
  check('an empty figure is told at its field', (await page.locator('[name="caps[0].limit"]').getAttribute('aria-invalid')) === 'true');
  await axe(page, 'a contract with a fault');
  await page.locator('[data-cap="0"] button').click();
  await page.locator('[data-windows] [data-add]').click();
  for (const day of ['sat', 'sun']) await page.locator(`[data-window="0"] input[value=${day}]`).check();
  await page.locator('[name="windows[0].from"]').fill('08:00');
  await page.locator('[name="windows[0].to"]').fill('20:00');
  await publish(before + 1);
  check('what is in force is told in words', /08:00 .*20:00/.test(await page.locator('[data-contract]').innerText()));
  const { terms } = await asked();
  check('the hours are stored as they were set', terms.windows.length === 1 && terms.windows[0].days.length === 7 && terms.windows[0].to === '20:00' && terms.caps.length === 0, JSON.stringify(terms));
  await shot(page, 'law-contract');
  await page.goto(`${base}/cumplimiento/deudores/${debtor}`);
  const why = page.locator('section[aria-labelledby=why-title]');
  await why.locator('[name=at]').fill('2026-12-01T07:30');
  await why.locator('button[type=submit]').click();
  await until('an answer about half past seven', async () => /7:30/.test(await why.locator('.chip').first().innerText()));
  await why.locator('summary').click();
  check('they bind his debtors', /client\/windows/.test(await why.innerText()), await why.innerText());
  await section(page, /^(Contrato|Contract)$/);
  await page.locator('[data-window="0"] button').click();
  await publish(before + 2);
  check('what was asked can be taken back', (await asked()).terms.windows.length === 0);
}

async function registers(page) {
  await section(page, /^(Registros|Registers)$/);
  await page.locator('[data-register=REDECO]').waitFor();
  const saved = async (kind) => {
    const [file] = await Promise.all([page.waitForEvent('download'), page.locator(`[data-save=${kind}]`).click()]);
    return readFileSync(await file.path(), 'utf8');
  };
  const numbers = await saved('numbers');
  check('the register of numbers has one a line', /n.mero,|number,/.test(numbers) && numbers.trim().split('\n').length > 1, numbers.slice(0, 300));
  const people = await saved('collectors');
  check('that of collectors too', /gestor,|collector,/.test(people) && people.trim().split('\n').length > 1, people.slice(0, 300));
  const cases = await saved('complaints');
  check('that of complaints has its number', cases.includes(`Q-${STAMP}-1`), cases.slice(0, 300));
}

/** Every page by every eye: light and dark, Spanish and English. */
async function judged() {
  for (const locale of ['es-MX', 'en-US']) {
    const browser = await open({ locale });
    try {
      await signIn(browser.page, people.supervisor());
      for (const path of PATHS) {
        await browser.page.goto(base + path);
        await browser.page.locator('.page > h1, .page > .row h1').first().waitFor();
        await browser.page.waitForLoadState('networkidle'); // the first data are drawn
        await axeLightAndDark(browser.page, `${path} ${locale}`);
      }
    } catch (error) {
      await shot(browser.page, 'law-failed');
      throw error;
    } finally {
      await browser.close();
    }
  }
}

export async function law() {
  const browser = await open();
  const { page } = browser;
  const office = await program(people.manager());
  try {
    await signIn(page, people.manager());
    const debtor = await whyNot(page, office);
    await atNight(page);
    await wishes(page, office, debtor);
    await listings(page, office);
    await complaints(page, office, debtor);
    await packs(page);
    await contract(page, office, debtor);
    await registers(page);
    await signOut(page);
    check('no errors on the page', browser.errors.length === 0, browser.errors.join('; '));
  } catch (error) {
    await shot(page, 'law-failed');
    throw error;
  } finally {
    await browser.close();
  }
  await judged();
}
