// Figures and goals: a figure opens to its chart, its table and its rows; a goal is set; money that is posted shows in under a second on the
// figures, the goals, the board, the debtor's file and the morning review, each while it is open.
import { axe } from './a11y.mjs';
import { base, check, open, people, program, seenAtOnce, shot, signIn, signOut, until } from './rig.mjs';

const STAMP = Date.now().toString(36);
const section = (page, name) => page.locator('nav.tabs').getByRole('link', { name }).click();
const closed = (page) => page.locator('dialog').waitFor({ state: 'detached' });

let payments = 0;
/** Pays so much on a debt; `daysAgo` it was paid. */
const pays = (office, debt, amount_minor, daysAgo = 0) => async () => {
  const { now } = await office.get('/clock');
  const paid_at = new Date(Date.parse(now) - daysAgo * 86_400_000).toISOString();
  await office.post('/payments', { debtor_id: debt.debtor_id, debt_id: debt.id, channel: 'transfer', amount: { amount_minor, currency: debt.currency }, paid_at, reference: `walk-${STAMP}-${++payments}` });
};
/** A debt that can be paid on, in the currency of the client's first portfolio. */
async function owed(office) {
  const client = (await office.all('/clients'))[0].id;
  const [portfolio] = (await office.get(`/portfolios?client=${client}`)).items;
  const debts = (await office.get(`/debts?client=${client}&limit=200`)).items;
  return debts.find((d) => d.status === 'open' && d.currency === portfolio.currency && d.principal_minor > 50_000);
}

async function figures(page, office) {
  await page.goto(`${base}/reportes`);
  await page.locator('[data-kpi=overdue_share]').waitFor();
  check('every figure is told', (await page.locator('[data-kpi]').count()) === 25);
  await until('debts are marked for the day', async () => {
    await page.reload();
    const row = page.locator('[data-kpi=overdue_share]');
    await row.waitFor();
    return Number(await row.getAttribute('data-denominator')) > 0;
  });
  await shot(page, 'reports-figures');
  await axe(page, 'figures');
  await page.locator('[data-kpi=pay_conversion]').getByRole('button').click();
  await page.locator('[data-rows=payments] [data-fact]').first().waitFor();
  await page.locator('[role=img]').first().waitFor();
  await page.getByRole('button', { name: 'Tabla' }).click();
  await page.locator('#series-title').waitFor();
  await shot(page, 'reports-figure');
  // No row half below the sections: axe takes what is covered for small.
  await page.locator('h1').scrollIntoViewIfNeeded();
  await axe(page, 'a figure with its rows');
  const client = (await office.all('/clients'))[0].id;
  const told = await office.get(`/reports/kpis?client=${client}`);
  const paying = told.items.find((f) => f.key === 'pay_conversion');
  const rows = await office.get(`/reports/kpis/pay_conversion/rows?client=${client}&limit=500`);
  const debtors = new Set(rows.items.map((r) => r.debtor_id));
  check('the numerator is what its rows are', rows.next_cursor !== null || debtors.size === paying.numerator.value, `${debtors.size} of ${paying.numerator.value}`);
  await seenAtOnce(page, 'a figure', { selector: '[data-kpi=recovered_per_hour]', attribute: 'data-numerator', more: 1_111 }, pays(office, await owed(office), 1_111));
  await page.locator('select').nth(2).selectOption({ index: 1 });
  await page.locator('[data-kpi=roll_rate]').waitFor({ state: 'detached' });
  check('by campaign no balance is told', (await page.locator('[data-kpi=rpc_rate]').count()) === 1);
}

async function departures(page, office) {
  await section(page, 'Desvíos de la política');
  await page.locator('[data-departure=stage_late]').waitFor();
  const client = (await office.all('/clients'))[0].id;
  const told = await office.get(`/reports/departures?client=${client}`);
  check('each kind of departure is told', (await page.locator('[data-departure]').count()) === told.items.length);
  const kind = told.items.find((k) => k.departed > 0) ?? told.items[0];
  await page.locator(`[data-departure=${kind.kind}]`).getByRole('button').click();
  await page.locator(`[data-departures=${kind.kind}]`).waitFor();
  if (kind.departed > 0) await page.locator(`[data-departures=${kind.kind}] [data-row]`).first().waitFor();
  await shot(page, 'reports-departures');
  await axe(page, 'departures');
}

async function goals(page, office) {
  await section(page, 'Metas');
  await page.getByRole('button', { name: 'Nueva meta' }).click();
  const dialog = page.locator('dialog');
  await dialog.locator('select').first().selectOption('amount');
  await dialog.locator('input.num').fill('123456.78');
  await axe(page, 'a goal');
  await dialog.locator('button[type=submit]').click();
  await closed(page);
  const client = (await office.all('/clients'))[0].id;
  const ours = async () => (await office.get(`/goals/progress?client=${client}`)).items.find((s) => s.goal.target === 12345678);
  const before = await ours();
  const row = page.locator(`[data-goal="${before.goal.id}"]`);
  await row.waitFor();
  const debt = await owed(office);
  await seenAtOnce(page, 'the page of goals', { selector: `[data-goal="${before.goal.id}"]`, attribute: 'data-done', more: 4_321 }, pays(office, debt, 4_321));
  await shot(page, 'reports-goals');
  await axe(page, 'goals');
  // The file of that debtor shows the next payment while it is open.
  await page.goto(`${base}/campanas/deudores/${debt.debtor_id}`);
  await page.locator('[data-line=payment]').first().waitFor();
  await seenAtOnce(page, 'a debtor’s file', { selector: '[data-line=payment]' }, pays(office, debt, 1_234));
  check('a debt has its ageing in the file', (await page.locator('[data-bucket]').count()) > 0);
  await page.getByRole('button', { name: 'Agregar domicilio' }).click();
  const form = page.locator('[data-addresses] form');
  await form.locator('[name=street]').fill('Calle de Prueba 12');
  await form.locator('[name=city]').fill('Puebla');
  await form.locator('button').click();
  await page.locator('[data-address]').getByText('Calle de Prueba 12').waitFor();
  check('an address told in the office stands in the file', (await page.locator('[data-address]').count()) > 0);
  await shot(page, 'reports-file');
  await axe(page, 'a debtor’s file');
  await page.goto(`${base}/supervisor`);
  await page.locator(`[data-goals] [data-goal="${before.goal.id}"]`).waitFor();
  const onBoard = { selector: `[data-goals] [data-goal="${before.goal.id}"]`, attribute: 'data-done', more: 2_345 };
  await seenAtOnce(page, 'the board', onBoard, pays(office, debt, 2_345));
}

async function review(page, office) {
  await page.goto(`${base}/piso/manana`);
  await page.locator('[data-review]').waitFor();
  await page.locator('[data-task-count]').waitFor();
  // It counts what was done before today.
  await seenAtOnce(page, 'the morning review', { selector: '[data-payments]', attribute: 'data-payments' }, pays(office, await owed(office), 777, 1));
  await axe(page, 'the morning review');
  await shot(page, 'reports-morning');
}

export async function reports() {
  const browser = await open();
  const { page, errors } = browser;
  try {
    const office = await program(people.manager());
    await signIn(page, people.manager());
    await figures(page, office);
    await departures(page, office);
    await goals(page, office);
    await review(page, office);
    await signOut(page);
    check('no script failed in the reports', errors.length === 0, errors.join(' | '));
  } catch (error) {
    await shot(page, 'reports-failed');
    throw error;
  } finally {
    await browser.close();
  }
}
