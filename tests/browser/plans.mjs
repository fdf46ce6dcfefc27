// Agreements: more than an agent may give is asked in the call and answered on the board; the debtor accepts by the link on a page without
// scripts; the manager sees plan, document, stages with advice, letters as PDF, and the terms.
import { axe } from './a11y.mjs';
import { base, check, open, people, program, seenAtOnce, shot, signIn, signOut, until } from './rig.mjs';

/** How long a person who stays long enough is waited for, ms. */
const SHIFT_MS = 240_000;
const section = (page, name) => page.locator('nav.tabs').getByRole('link', { name }).click();
const stateOf = (page) => page.locator('.bar [data-state]').first().getAttribute('data-state');
const planOf = (page) => page.locator('[data-offers] [data-plan]').first().getAttribute('data-plan', { timeout: 1_000 }).catch(() => null);

/** Asks for a quita of 20 % with a reason; false when the person went before. */
async function asks(page) {
  await page.keyboard.press('s');
  await page.locator('[data-offers]').waitFor({ timeout: 4_000 });
  const offers = Number(await page.locator('[data-offers]').getAttribute('data-offers'));
  check('the card has one to three offers', offers >= 1 && offers <= 3, offers);
  check('the goal of the call is on it', Number(await page.locator('[data-goal]').getAttribute('data-goal')) > 0);
  // What the debtor objects is found by one key and a word, without accents; Enter shows the answer.
  await page.keyboard.press('i');
  await page.keyboard.type('ya pague');
  await page.keyboard.press('Enter');
  await page.locator('[data-objection="ya-pague"]').waitFor({ timeout: 2_000 });
  check('the answer is in the debtor’s language, filled in', /Financiera Río Claro/.test(await page.locator('[data-objection] .say').innerText()));
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await page.locator('[data-objection] [role=status]').waitFor({ timeout: 3_000 });
  check('the objection is logged with the attempt', true);
  await shot(page, 'plans-offers');
  await page.keyboard.press('a');
  const dialog = page.locator('dialog');
  await dialog.locator('[name=reason]').fill('Paga hoy si se autoriza');
  await dialog.locator('button.primary').click();
  await dialog.waitFor({ state: 'detached', timeout: 4_000 });
  await until('the ask waits', async () => (await planOf(page)) === 'offered', 4_000);
}

async function answered(page, board) {
  // The newest one: those of calls that ended before run out by themselves.
  const ask = board.locator('[data-ask]').last();
  await ask.waitFor({ timeout: 10_000 });
  await shot(board, 'plans-ask');
  await axe(board, 'an ask on the board');
  await ask.locator('button.primary').click();
  await until('the agent is told', async () => (await planOf(page)) === 'approved', 10_000);
  check('a supervisor says yes during the call', true);
  await page.locator('[data-offers]').getByRole('button', { name: 'Hacer liga para aceptar' }).click();
  const link = page.locator('[data-offers] input[readonly]');
  await link.waitFor({ timeout: 5_000 });
  return link.inputValue();
}

async function accepted(link, office) {
  const plan = (await office.all('/plans')).filter((p) => p.state === 'approved').pop();
  const { debtor } = await office.get(`/debtors/${plan.debtor_id}`);
  const proof = debtor.document.replace(/[^\p{L}\p{N}]/gu, '').slice(-4);
  const browser = await open();
  const { page } = browser;
  try {
    // A development server of the screens has no such page: it is asked of the server itself.
    await page.goto((process.env.HOSTED_URL ?? base) + new URL(link).pathname);
    check('nothing of the debt before identity', !(await page.locator('main').innerText()).includes('MXN'));
    await axe(page, 'the page of an agreement');
    await page.locator('#proof').fill(proof);
    await page.locator('button[type=submit]').click();
    await page.locator('#agree').waitFor();
    await shot(page, 'plans-page');
    await axe(page, 'what is agreed');
    await page.locator('#agree').check();
    await page.locator('form[action$="/accept"] button').click();
    await page.getByText(/Aceptó el convenio|You accepted/).waitFor();
    check('the debtor accepts by the link', (await office.get(`/plans/${plan.id}`)).plan.document_sha256?.length === 64);
  } finally {
    await browser.close();
  }
  return plan;
}

async function managed(office, plan) {
  const browser = await open();
  const { page } = browser;
  try {
    await signIn(page, people.manager());
    await page.goto(`${base}/convenios`);
    const row = page.locator(`[data-plan="${plan.id}"]`);
    await row.waitFor();
    await axe(page, 'agreements');
    await row.getByRole('button', { name: 'Abrir' }).click();
    await page.locator('dialog table').waitFor();
    await axe(page, 'an agreement');
    const { now } = await office.get('/clock');
    const { debtor_id, debt_id, currency } = plan;
    const pay = () => office.post('/payments', { debtor_id, debt_id, channel: 'transfer', amount: { amount_minor: 100, currency }, paid_at: now, reference: `plan-${plan.id}` });
    await seenAtOnce(page, 'an open agreement', { selector: 'dialog [data-paid]', attribute: 'data-paid', more: 100 }, pay);
    const [document] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Documento en español' }).click()]);
    check('the document is a PDF', document.suggestedFilename().endsWith('.pdf'));
    await page.keyboard.press('Escape');
    await section(page, 'Etapas');
    await until('stages', async () => (await page.locator('[data-stage]').count()) > 0, 90_000).catch(() => false);
    await page.reload();
    await page.locator('[data-stage]').first().waitFor();
    await page.locator('[data-stage]').first().getByRole('button', { name: 'Ver recomendación' }).click();
    await page.locator('dialog [name=stage]').waitFor();
    await shot(page, 'plans-stage');
    await axe(page, 'advice on a stage');
    await page.keyboard.press('Escape');
    await section(page, 'Cartas');
    await page.locator('[name=segment]').selectOption({ index: 1 });
    await page.getByRole('button', { name: 'Hacer cartas' }).click();
    await page.locator('[data-batch=done]').first().waitFor({ timeout: 60_000 });
    check('letters are made', (await office.get('/letter-batches')).items.some((b) => b.state === 'done'));
    await shot(page, 'plans-letters');
    await axe(page, 'letters');
    await page.getByRole('button', { name: /Editar/ }).first().click();
    const dialog = page.locator('dialog');
    await dialog.locator('[name=body]').fill('Usted es un moroso');
    await dialog.locator('button.primary').click();
    await dialog.locator('.note.bad').waitFor();
    check('a rude word is named with its place', /line 1, column 13/.test(await dialog.locator('.note.bad').innerText()));
    await page.keyboard.press('Escape');
    await section(page, 'Condiciones');
    await page.locator('[data-offer]').first().waitFor();
    const quita = page.locator('[name="offers[0].conditions.quita_pct"]');
    const before = await quita.inputValue();
    await quita.fill('99');
    await page.locator('[name=note]').fill('una prueba');
    await page.getByRole('button', { name: 'Publicar versión' }).click();
    await page.locator('[name="offers[0].conditions.quita_pct"][aria-invalid=true]').waitFor();
    check('a wrong term is said at its field', (await page.getByText('Entre 0 y 95').count()) === 1);
    await quita.fill(before);
    const ends = page.locator('[name="ageing[1].to"]');
    await ends.fill('5000');
    await ends.blur();
    await page.getByRole('button', { name: 'Publicar versión' }).click();
    await page.locator('[name="ageing[1].to"][aria-invalid=true]').waitFor();
    check('a bucket of too many days is said at its field', (await page.getByText('Entre 1 y 3650').count()) === 1);
    await ends.fill('30');
    await ends.blur();
    const named = page.locator('[data-bucket=b31_60] [name="ageing[2].label"]');
    await named.fill('Temprana');
    // A limit that stops nobody: the day goes on behind the page.
    await page.locator('section[aria-labelledby=promises-title]').getByRole('button', { name: 'Agregar regla' }).click();
    await page.locator('[name="promises[0].segment_id"]').selectOption({ index: 1 });
    await page.locator('[name="promises[0].min_pct"]').fill('0');
    await page.locator('[name="promises[0].max_days"]').fill('30');
    const demand = page.getByRole('group', { name: 'Judicial', exact: true }).locator('[value=demand]');
    await demand.check();
    await page.getByRole('button', { name: 'Publicar versión' }).click();
    await page.getByText('Versión publicada').waitFor();
    await page.reload();
    await page.locator('[name="promises[0].segment_id"] option:checked:not([value=""])').waitFor({ state: 'attached' });
    check('a limit of promises is for a segment', true);
    check('a bucket has the name that the client gives it', (await named.inputValue()) === 'Temprana');
    check('evidence is asked for before a court', await demand.isChecked());
    check('terms are published from the form', (await page.locator('[aria-invalid=true]').count()) === 0);
    await page.locator('[data-interest]').waitFor();
    await axe(page, 'terms');
    await signOut(page);
    check('no errors on the manager’s page', browser.errors.length === 0, browser.errors.join('; '));
  } catch (error) {
    await shot(page, 'plans-failed');
    throw error;
  } finally {
    await browser.close();
  }
}

export async function plans() {
  const office = await program(people.manager());
  const [desk, board] = [await open(), await open()];
  try {
    await signIn(board.page, people.supervisor());
    await signIn(desk.page, people.agent());
    const { page } = desk;
    await until('the phone leg', async () => (await page.locator('.links .chip.ready').count()) >= 2, 30_000);
    await page.keyboard.press('d');
    let link = '';
    let last = '';
    for (const end = Date.now() + SHIFT_MS; !link && Date.now() < end; ) {
      await until('a call', async () => ['talking', 'wrapup', 'preview'].includes(await stateOf(page)), SHIFT_MS);
      if ((await stateOf(page)) === 'preview') {
        await page.keyboard.press('m');
        await page.waitForTimeout(500);
        continue;
      }
      link = await asks(page).then(() => answered(page, board.page)).catch((error) => ((last = error.message), ''));
      for (const key of link ? [] : ['Escape', 'Escape', '6', 'Enter', 'F9']) {
        if (['talking', 'hold', 'wrapup'].includes(await stateOf(page))) await page.keyboard.press(key);
        await page.waitForTimeout(150);
      }
    }
    check('an ask is answered and a link is made', link !== '', last);
    const plan = await accepted(link, office);
    await managed(office, plan);
    check('no errors on the pages', desk.errors.length + board.errors.length === 0, [...desk.errors, ...board.errors].join('; '));
  } catch (error) {
    await shot(desk.page, 'plans-desk-failed');
    throw error;
  } finally {
    await desk.close();
    await board.close();
  }
}
