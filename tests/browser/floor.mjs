// The floor's face: a rule of assignment that gives debtors out, the morning list that shows it, caller ids that rest and wake, the
// calendar of call-backs; a campaign of two segments by weight with its own retries, and its queue with each verdict.
import { axe } from './a11y.mjs';
import { base, check, open, people, program, shot, signIn, signOut, until } from './rig.mjs';

/** Unique per run, so that a walk may be repeated on one demo. */
const STAMP = Date.now().toString(36);
const section = (page, name) => page.locator('nav.tabs').getByRole('link', { name }).click();
const closed = (page) => page.locator('dialog').waitFor({ state: 'detached' });

async function assignment(page, office) {
  await section(page, 'Asignación');
  await page.getByRole('button', { name: 'Nueva regla' }).click();
  const dialog = page.locator('dialog');
  await dialog.locator('[name=name]').fill(`A gestores ${STAMP}`);
  await dialog.locator('select[multiple]').selectOption({ index: 0 });
  await shot(page, 'floor-rule');
  await axe(page, 'a rule of assignment');
  await dialog.locator('button[type=submit]').click();
  await closed(page);
  await page.locator(`[data-rule="A gestores ${STAMP}"]`).waitFor();
  await page.getByRole('button', { name: 'Asignar ahora' }).click();
  await page.locator('.note.good').waitFor({ timeout: 60_000 });
  const rules = await office.all('/assignment-rules');
  check('the rule is kept', rules.some((r) => r.name === `A gestores ${STAMP}`));
}

async function morning(page, office) {
  await section(page, 'Lista de la mañana');
  await page.locator('[data-morning]').first().waitFor();
  const rows = await page.locator('[data-morning] .chip').allInnerTexts();
  const attention = rows.map((text) => /atención/.test(text));
  check('those of attention come first', attention.lastIndexOf(true) === attention.filter(Boolean).length - 1, attention.slice(0, 12).join());
  const rule = (await office.all('/assignment-rules')).find((r) => r.name === `A gestores ${STAMP}`);
  const list = await office.get(`/morning-list?client=${rule.client_id}&agent=${rule.agents[0]}&limit=50`);
  check('an agent has the debtors of the rule', list.items.length > 0 && list.items.every((r) => r.agent_id === rule.agents[0]));
  await shot(page, 'floor-morning');
  await axe(page, 'morning list');
}

async function callers(page) {
  await section(page, 'Identificadores');
  const awake = page.locator('[data-caller]:has(.chip.ready)').first();
  await awake.waitFor();
  const row = page.locator(`[data-caller="${await awake.getAttribute('data-caller')}"]`);
  await row.getByRole('button', { name: /Descansar/ }).click();
  await row.locator('.chip.pause').waitFor();
  await axe(page, 'caller ids');
  await row.getByRole('button', { name: /Volver a usar/ }).click();
  await row.locator('.chip.ready').waitFor();
  check('a caller id rests and wakes', true);
}

/** The detector's page: its table, a chart that is a table too, a message that tells of a debt refused, one approved. */
async function detector(page, office) {
  await section(page, 'Detector');
  await page.locator('tr[data-of=all]').waitFor();
  await page.getByRole('button', { name: 'Nuevo mensaje' }).click();
  const dialog = page.locator('dialog');
  await dialog.locator('[name=name]').fill(`Buzón ${STAMP}`);
  await dialog.locator('[name=person]').fill('Ana Ruiz');
  await dialog.locator('[name=text]').fill('Llame por su adeudo al {number}');
  await dialog.locator('button[type=submit]').click();
  await dialog.locator('.note.bad').waitFor();
  check('a message that tells of a debt is refused by the word', /adeudo/.test(await dialog.locator('.note.bad').innerText()));
  await dialog.locator('[name=text]').fill('Habla {person} de {company}.\nPor favor llame al {number}.');
  await axe(page, 'a message for mailboxes');
  await dialog.locator('button[type=submit]').click();
  await closed(page);
  const row = page.locator('tr').filter({ hasText: `Buzón ${STAMP}` });
  await row.getByRole('button', { name: /Aprobar/ }).click();
  await row.locator('.chip.ready').waitFor();
  const kept = (await office.get('/voicemail-templates')).items.find((m) => m.name === `Buzón ${STAMP}`);
  check('the message is approved and has its parts', kept?.approved_by && kept.parts.length === 2);
  await shot(page, 'floor-detector');
  await axe(page, 'detector');
}

/** Judged calls of one trunk alone; one of them is listened to. */
async function samples(page, office) {
  const kind = page.locator('select[name=class]');
  const playable = page.locator('[data-sample]:has(button:enabled:text-matches("^Escuchar"))');
  await until('a judged call with its recording', async () => {
    for (const one of ['human', '']) await kind.selectOption(one);
    await page.waitForTimeout(1_000);
    return (await playable.count()) > 0;
  }, 60_000);
  const trunk = await playable.first().getAttribute('data-trunk');
  await page.locator('select[name=trunk]').selectOption(trunk);
  const { trunks } = await office.get(`/reports/detector?days=7&trunk=${trunk}`);
  await until('the trunk alone', async () => (await page.locator('tr[data-of^=t]').count()) === 1 && (await page.locator('[data-abandoned]').count()) === 0);
  check('the chosen trunk alone is counted', trunks.length === 1 && trunks[0].trunk_id === trunk);
  const others = page.locator(`[data-sample]:not([data-trunk="${trunk}"])`);
  await until('and its calls alone are listed', async () => (await playable.count()) > 0 && (await others.count()) === 0);
  // A call that is just over may not be whole yet.
  await until('both channels of a sample', async () => {
    for (const row of (await playable.all()).slice(0, 3)) {
      await row.getByRole('button', { name: /^Escuchar/ }).click();
      await page.waitForTimeout(1_500);
      if ((await page.locator('.track svg path').count()) === 2) return true;
    }
    return false;
  }, 30_000);
  const length = await until('its length', () => page.locator('audio').evaluate((a) => (Number.isFinite(a.duration) ? a.duration : 0)));
  check('a sample can be listened to', length > 0.2, length);
  await page.locator('select[name=trunk]').selectOption('');
  const told = await page.locator('[data-abandoned]').getAttribute('data-abandoned');
  check('who was abandoned stands beside the errors', /^\d+\/\d+$/.test(told), told);
}

async function calendar(page) {
  await section(page, 'Agenda de llamadas');
  await page.locator('.foot p').waitFor();
  await until('the calendar is there', async () => !/Cargando/.test(await page.locator('.foot p').first().innerText()));
  await shot(page, 'floor-callbacks');
  await axe(page, 'call-backs');
  const some = page.locator('[data-callback]').first();
  if (await some.count()) {
    await some.getByRole('button').click();
    await page.locator('dialog [name=who]').waitFor();
    await axe(page, 'moving a call-back');
    await page.keyboard.press('Escape');
    await closed(page);
  }
}

async function campaign(page, office) {
  await page.goto(`${base}/campanas`);
  await page.locator('[data-campaign]').first().waitFor();
  await page.getByRole('button', { name: /Nueva campaña/ }).click();
  const form = page.locator('dialog form');
  await form.locator('[name=name]').fill(`Mezcla ${STAMP}`);
  // The list of segments comes by itself, and with it the one that is chosen.
  await until('a segment is chosen', async () => (await form.locator('[name=segment]').inputValue()) !== '');
  await form.getByRole('button', { name: 'Agregar segmento' }).click();
  await until('two segments', async () => (await form.locator('[data-mix]').count()) === 2);
  await form.locator('[data-mix="0"] input').fill('70');
  await form.locator('[data-mix="1"] input').fill('30');
  await form.getByRole('button', { name: 'Agregar regla' }).click();
  await form.locator('[data-retry]').first().waitFor();
  // Working days from ten to six, the eighth of December off.
  await form.getByRole('button', { name: 'Agregar horas por día' }).click();
  await form.locator('[name=day-from-0]').fill('10:00');
  await form.locator('[name=day-to-0]').fill('18:00');
  await form.locator('[name=day-0-fri]').uncheck();
  await form.locator('[name=schedule_off]').fill('2026-12-08');
  await form.getByRole('button', { name: 'Agregar el día' }).click();
  await shot(page, 'floor-campaign');
  await axe(page, 'a campaign by weight');
  await form.getByRole('button', { name: 'Guardar como plantilla' }).click();
  await until('the template', async () => (await office.all('/campaign-templates')).some((x) => x.name === `Mezcla ${STAMP}`));
  await form.locator('button[type=submit]').click();
  await closed(page);
  const made = (await office.all('/campaigns')).find((c) => c.name === `Mezcla ${STAMP}`);
  check('the mix, its weights and the retry rule are kept', made.params.list_mix.map((p) => p.weight).join() === '70,30' && made.params.retry_rules.length === 1, JSON.stringify(made.params.list_mix));
  const { hours: [line], days_off: off } = made.params.schedule;
  check('its days and the day off are kept', line?.days.join() === 'mon,tue,wed,thu' && `${line.from}-${line.to}` === '10:00-18:00' && off.join() === '2026-12-08', JSON.stringify(made.params.schedule));
  await page.locator('[data-status=running]').first().getByRole('button', { name: /Ver la cola/ }).click();
  await page.locator('dialog [role=status]').waitFor();
  await axe(page, 'the queue of a campaign');
  check('unsigned packs are shown over the hopper', await page.locator('dialog [data-standing]').isVisible());
  await shot(page, 'floor-hopper');
  await page.keyboard.press('Escape');
  await closed(page);
}

export async function floor() {
  const browser = await open();
  const { page, errors } = browser;
  try {
    const office = await program(people.manager());
    await signIn(page, people.manager());
    await page.goto(`${base}/piso`);
    await page.locator('nav.tabs').waitFor();
    await assignment(page, office);
    await morning(page, office);
    await callers(page);
    await detector(page, office);
    await samples(page, office);
    await calendar(page);
    await campaign(page, office);
    await signOut(page);
    check('no script failed on the floor', errors.length === 0, errors.join(' | '));
  } catch (error) {
    await shot(page, 'floor-failed');
    throw error;
  } finally {
    await browser.close();
  }
}
