// What a manager settles with care: a campaign's choices as a draft, published, outdated, brought back; and a file of consents.
import { axe } from './a11y.mjs';
import { check, LONG_MS, shot, until } from './rig.mjs';

const DAY_MS = 86_400_000;
/** Offers that the campaign makes; null: those of the client. */
const offered = (campaign) => JSON.stringify(campaign.params.offer_policy);
const away = (page) => page.locator('dialog').waitFor({ state: 'detached' });

/** The settings of a campaign that stands still, on the list that is open. */
export async function settings(page, office, name) {
  const row = page.locator(`[data-campaign="${name}"]`);
  const dialog = page.locator('dialog');
  const versions = dialog.locator('[data-campaign-versions]');
  const zones = dialog.locator('[name=zone_policy]');
  const press = (place, what) => place.getByRole('button', { name: what }).click();
  const stored = async () => (await office.all('/campaigns')).find((c) => c.name === name);
  const edit = async () => {
    await press(row, /^(Editar|Edit) /);
    await dialog.locator('[data-choices]').waitFor();
    await versions.locator('summary').click();
    await versions.locator('[data-version]').first().waitFor();
  };
  const drafted = async (note) => {
    await versions.locator('[name=version_note]').fill(note);
    await press(versions, /^(Guardar como borrador|Save as a draft)$/);
    await versions.locator('[data-state=draft]', { hasText: note }).waitFor();
  };
  const publish = (note) => press(versions.locator('[data-state=draft]', { hasText: note }), /^(Publicar|Publish)/);

  const was = await stored();
  await edit();
  await zones.selectOption('known_place');
  await dialog.locator('[name=caller_id_pick]').selectOption('local');
  const some = dialog.locator('[name=offer_policy] option[value=some]');
  await until('the offers of the client', () => some.isEnabled());
  await dialog.locator('[name=offer_policy]').selectOption('some');
  check('chosen offers begin with one', (await dialog.locator('[data-choices] .picks input:checked').count()) === 1);
  const key = (await dialog.locator('[data-choices] .picks input:checked').getAttribute('name')).replace('offer-', '');
  await drafted('Con más cuidado');
  check('after a draft the form shows what is in force', (await zones.inputValue()) === 'pack');
  await axe(page, 'a draft of a campaign');
  await shot(page, 'campaigns-draft');
  const still = await stored();
  check('a draft changes nothing', still.version === was.version && still.params.zone_policy === 'pack' && offered(still) === 'null');
  await publish('Con más cuidado');
  await away(page);
  const published = await stored();
  check('a published draft is in force', published.version === was.version + 1 && published.params.zone_policy === 'known_place' && published.params.caller_id_pick === 'local' && offered(published) === `["${key}"]`, JSON.stringify(published.params.offer_policy));
  check('the screen says which version is', new RegExp(`\\b${published.version}\\b`).test(await page.locator('.toasts .note.good').last().innerText()));

  // Two drafts of one version: what the first changed, the second would take back.
  await edit();
  for (const [zone, note] of [['all_evidence', 'Borrador uno'], ['pack', 'Borrador dos']]) {
    await zones.selectOption(zone);
    await drafted(note);
  }
  await publish('Borrador uno');
  await away(page);
  await edit();
  await publish('Borrador dos');
  const asked = versions.locator('[data-outdated] [data-field="params.zone_policy"]');
  await asked.waitFor();
  check('an outdated draft asks about what it would take back', /(todos|all): .*(paquete de reglas|rule pack)/s.test(await asked.innerText()), await asked.innerText());
  check('and is not in force yet', (await stored()).params.zone_policy === 'all_evidence');
  const wide = await dialog.evaluate((d) => d.scrollWidth - d.clientWidth);
  check('a long difference stays within its dialog', wide <= 0, wide);
  await axe(page, 'an outdated draft');
  await shot(page, 'campaigns-draft-outdated');
  await press(versions.locator('[data-outdated]'), /^(Cancelar|Cancel)$/);
  await press(versions.locator('[data-state=draft]', { hasText: 'Borrador dos' }), /^(Descartar|Drop)/);
  await versions.locator('[data-state=dropped]', { hasText: 'Borrador dos' }).waitFor();
  check('a dropped draft cannot be published', (await versions.locator('[data-state=dropped] button').count()) === 0);

  await press(versions.locator('[data-version="1"]'), /^(Volver a ella|Bring back)/);
  await away(page);
  const back = await stored();
  check('the first settings come back as a new version', back.version === published.version + 2 && back.params.zone_policy === 'pack' && back.params.caller_id_pick === 'health' && offered(back) === 'null', back.version);
}

/** What it gets of lines and agents: set, saved, and seen when the form is opened again. */
export async function lines(page, office, name) {
  const row = page.locator(`[data-campaign="${name}"]`);
  const dialog = page.locator('dialog');
  const field = (key) => dialog.locator(`[name=${key}]`);
  const edit = async () => {
    await row.getByRole('button', { name: /^(Editar|Edit) / }).click();
    await dialog.locator('[data-lines]').waitFor();
  };
  await edit();
  const trunk = await until('the trunks', async () => (await field('trunk-0').locator('option').allTextContents())[1]);
  await field('trunk-0').selectOption(trunk);
  await field('priority').fill('5');
  await field('lines_max').fill('7');
  await field('disposition_required').uncheck();
  await axe(page, 'the lines of a campaign');
  await dialog.locator('[type=submit]').click();
  await away(page);
  const { params } = (await office.all('/campaigns')).find((c) => c.name === name);
  check('priority, lines and trunk of the form are stored', params.priority === 5 && params.lines_max === 7 && params.trunks.join() === trunk && params.disposition_required === false && params.weight === 50 && params.cps_max === null, JSON.stringify(params.trunks));
  await page.reload();
  await row.waitFor();
  await edit();
  const shown = await Promise.all(['priority', 'lines_max', 'trunk-0', 'cps_max'].map((key) => field(key).inputValue()));
  check('and the form shows them again', shown.join() === `5,7,${trunk},` && !(await field('disposition_required').isChecked()), shown);
  await dialog.locator('[data-lines]').scrollIntoViewIfNeeded();
  await shot(page, 'campaigns-lines');
  await page.keyboard.press('Escape');
  await away(page);
}

/** Of those who came with a file: one granted, one taken back, one whom nobody knows. */
export async function consents(page, office, [granted, revoked]) {
  const whose = async (ref) => (await office.post('/debtors/search', { q: ref })).items[0].id;
  const kept = async (ref) => office.all(`/consents?debtor=${await whose(ref)}`);
  const day = new Date(Date.parse((await office.get('/clock')).now) - 2 * DAY_MS).toISOString().slice(0, 10).split('-').reverse().join('/');
  const rows = ['Clave deudor;Canal;Estado;Fecha;Prueba', `${granted};sms;otorgado;${day};Contrato 1`, `${revoked};llamada;revocado;${day};Audio 2`, `nadie-${granted};sms;otorgado;${day};Contrato 3`];
  const figures = async (report) => {
    const of = (key) => page.locator(`[data-report=${report}] [data-figure=${key}]`).innerText();
    return Promise.all(['rows', 'consents_granted', 'consents_revoked', 'refused'].map(of));
  };
  await page.locator('[name=kind]').selectOption('consents');
  await page.locator('[type=file]').setInputFiles({ name: 'consentimientos.csv', mimeType: 'text/csv', buffer: Buffer.from(`${rows.join('\n')}\n`) });
  await page.getByRole('button', { name: /^(Validar|Check)/ }).click();
  await page.locator('[data-report=dry]').waitFor({ timeout: LONG_MS });
  check('a file of consents tells what it grants, takes back and refuses', (await figures('dry')).join() === '3,1,1,1', await figures('dry'));
  const fault = await page.locator('[data-report=dry] tbody tr').first().innerText();
  check('who is not known is named by row and column', /4/.test(fault) && /Clave deudor/.test(fault), fault);
  check('nothing is stored before it is confirmed', (await kept(granted)).length === 0);
  await axe(page, 'a file of consents');
  await shot(page, 'campaigns-consents');
  await page.locator('[data-report=dry]').getByRole('button', { name: /^(Confirmar|Confirm)/ }).click();
  await page.locator('[data-report=done]').waitFor({ timeout: LONG_MS });
  check('its result says the same', (await figures('done')).join() === '3,1,1,1', await figures('done'));
  const [yes] = await kept(granted);
  const [no] = await kept(revoked);
  check('a consent of the file stands', yes?.channel === 'sms' && yes.proof === 'Contrato 1' && yes.revoked_at === null, JSON.stringify(yes));
  check('what the file takes back is taken back', no?.channel === 'call' && no.revoked_at !== null, JSON.stringify(no));
}
