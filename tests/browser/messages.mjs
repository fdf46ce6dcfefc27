// Messages: a template that is refused by the name of its variable and then read with real debtors; messages followed to their end; a
// reminder taken back by money; what debtors write answered by an agent at his desk; a strategy, its dry run with what the law removes, and its arms.
import { axe } from './a11y.mjs';
import { base, check, open, people, program, shot, signIn, signOut, until } from './rig.mjs';

const STAMP = Date.now().toString(36);
/** Debtors written to beside those whom the demo writes to by itself: of ten two answer with words. */
const WRITTEN = 20;
const section = (page, name) => page.locator('nav.tabs').getByRole('link', { name }).click();

async function templates(page) {
  await section(page, 'Plantillas');
  await page.getByRole('button', { name: 'Nueva plantilla' }).click();
  const form = page.locator('form.editor');
  await form.locator('[name=name]').fill(`aviso ${STAMP}`);
  await form.locator('[name=body]').fill('Hola {deudor}');
  await form.locator('button[type=submit]').click();
  await form.locator('.note.bad').waitFor();
  check('an unknown variable is refused by its name', (await form.locator('.note.bad').innerText()).includes('deudor'));
  await form.locator('[name=body]').fill('Hola {debtor.first_name}: debe {debt.balance}.');
  await form.locator('button[type=submit]').click();
  await until('what a locked phone would show is refused by its name', async () => (await form.locator('.note.bad').innerText()).includes('{debt.balance}'));
  await form.locator('[name=body]').fill('Hola {debtor.first_name}: su compromiso es para el {promise.due_date}.');
  await form.locator('button[type=submit]').click();
  await page.locator('[data-preview] li').first().waitFor();
  check('a value that a debtor does not have is told by its name', (await page.locator('[data-preview]').innerText()).includes('promise.due_date'));
  await form.locator('[name=body]').fill('Hola {debtor.first_name}: llámenos por {debt.reference}, o entre a {payment.link}');
  await form.locator('button[type=submit]').click();
  await until('the preview has real rows, with an address that opens nothing', async () => /Hola \S+: llámenos por \S+ o entre a \S+\/p\/MUESTRA/.test(await page.locator('[data-preview]').innerText()));
  await shot(page, 'messages-template');
  await axe(page, 'templates');
}

async function sent(page, office) {
  const client = (await office.all('/clients'))[0].id;
  const debts = (await office.get(`/debts?client=${client}&limit=200`)).items.filter((d) => d.status === 'open');
  const debtors = [...new Set(debts.map((d) => d.debtor_id))].slice(0, WRITTEN);
  let taken = 0;
  for (const debtor_id of debtors) {
    // The law may refuse any of them.
    taken += await office.post('/messages', { debtor_id, channel: 'sms', text: `Buen día ${STAMP}` }).then(() => 1, () => 0);
  }
  check('the law lets some be written to', taken > 0, `${taken} of ${debtors.length}`);
  await section(page, 'Mensajes');
  await until('messages are followed to the debtor', async () => {
    await page.getByRole('button', { name: 'Actualizar' }).click();
    return (await page.locator('[data-message][data-state=delivered], [data-message][data-state=read], [data-message][data-state=answered]').count()) > 0;
  }, 60_000);
  await shot(page, 'messages-list');
  await axe(page, 'messages');
  return taken;
}

/** A reminder of a due date that waits for its hour is taken back when money comes, a tenth of the debt or all of it: nobody has to think of it. */
async function withdrawn(page, office, part) {
  const client = (await office.all('/clients'))[0].id;
  const waiting = async () => {
    const { items } = await office.get(`/messages?client=${client}&state=queued&limit=25`);
    for (const message of items.filter((m) => m.strategy_id && m.debt_id)) {
      const file = await office.get(`/debtors/${message.debtor_id}`);
      const debt = file.debts.find((d) => d.id === message.debt_id && d.status === 'open');
      if (debt) return { message, debt };
    }
    return null;
  };
  const { message, debt } = await until('a reminder waits for its hour', waiting, 60_000);
  await page.locator('[name=state]').selectOption('queued');
  await page.locator(`[data-message="${message.id}"]`).waitFor();
  const owed = debt.principal_minor + debt.interest_minor + debt.fees_minor;
  const amount = { amount_minor: part ? Math.ceil(owed / 100) : owed, currency: debt.currency };
  const { now } = await office.get('/clock');
  await office.post('/payments', { debtor_id: debt.debtor_id, debt_id: debt.id, channel: 'transfer', amount, paid_at: now, reference: `aviso-${STAMP}-${part ? 'parte' : 'todo'}` });
  await page.locator('[name=state]').selectOption('cancelled');
  const row = page.locator(`[data-message="${message.id}"][data-state=cancelled]`);
  await until(`money takes the reminder back, ${part ? 'a part' : 'all'} of it`, async () => {
    await page.getByRole('button', { name: 'Actualizar' }).click();
    return (await row.count()) > 0;
  });
  const why = (await row.locator('.hint').innerText()).trim();
  check('the screen says why it was not sent', part ? /lo que aún debe se planea de nuevo|la promesa ya terminó/.test(why) : why.length > 0, why);
  await shot(page, part ? 'messages-withdrawn-part' : 'messages-withdrawn');
  await page.locator('[name=state]').selectOption('');
}

/** What debtors wrote stands in the office's inbox; who asked for no more messages is answered by nobody. */
async function inbox(page) {
  await section(page, 'Bandeja de entrada');
  const open = page.locator('[data-inbox][data-state=new]').filter({ has: page.getByRole('button', { name: 'Responder' }) });
  await until('a debtor writes', async () => {
    await page.locator('[name=inbox-state]').selectOption('');
    await page.locator('[name=inbox-state]').selectOption('new');
    await page.locator('[aria-labelledby=inbox-title] .foot p').first().waitFor();
    return (await open.count()) > 0;
  }, 60_000);
  await axe(page, 'inbox');
}

/** Answers a row of the desk; the message that leaves, or null when the law refuses this debtor one. */
async function answer(page, id) {
  const row = page.locator(`[data-inbox="${id}"]`);
  await row.getByRole('button', { name: 'Responder' }).click();
  await row.locator('[name=answer]').fill('Con gusto le ayudamos.');
  await shot(page, 'messages-inbox');
  const [reply] = await Promise.all([page.waitForResponse((r) => r.url().endsWith(`/inbox/${id}/answer`)), row.locator('button[type=submit]').click()]);
  if (reply.status() === 201) return reply.json();
  await row.locator('.note.bad').waitFor();
  check('a refusal says why', (await row.locator('.note.bad').innerText()).trim().length > 0);
  await row.getByRole('button', { name: 'Cancelar' }).click();
  return null;
}

/** An agent answers from his desk between calls: one after the other, until the law lets one go. */
async function answered(office) {
  const browser = await open();
  const { page, errors } = browser;
  try {
    await signIn(page, people.agent());
    const { agent } = await (await program(people.agent())).get('/me');
    const rows = page.locator('[data-inbox][data-state=new]').filter({ has: page.getByRole('button', { name: 'Responder' }) });
    await rows.first().waitFor({ timeout: 60_000 });
    await axe(page, 'the desk with what debtors wrote');
    const refused = new Set();
    const { id, sent } = await until('an answer that the law lets go', async () => {
      const fresh = (await rows.evaluateAll((all) => all.map((row) => row.dataset.inbox))).find((x) => !refused.has(x));
      if (!fresh) return null;
      const message = await answer(page, fresh);
      if (!message) refused.add(fresh);
      return message && { id: fresh, sent: message };
    }, 90_000);
    await page.locator(`[data-inbox="${id}"]`).waitFor({ state: 'detached' });
    const [heard, left] = [await office.get(`/inbox/${id}`), await office.get(`/messages/${sent.id}`)];
    check('what the debtor wrote is answered, by the agent', heard.state === 'answered' && heard.handled_by === `agent:${agent.id}`, JSON.stringify([heard.state, heard.handled_by]));
    check('the answer leaves to him who wrote', left.purpose === 'reply' && left.debtor_id === heard.debtor_id && left.channel === heard.channel, JSON.stringify([left.purpose, left.channel]));
    await signOut(page);
    check('no script failed at the desk', errors.length === 0, errors.join(' | '));
  } catch (error) {
    await shot(page, 'messages-desk-failed');
    throw error;
  } finally {
    await browser.close();
  }
}

async function strategies(page, office) {
  await section(page, 'Estrategias');
  await page.getByRole('button', { name: 'Nueva estrategia' }).click();
  const form = page.locator('form');
  await form.locator('[name=name]').fill(`Diaria ${STAMP}`);
  const steps = form.locator('ol li');
  await steps.first().locator('select').nth(1).selectOption(`aviso ${STAMP}`);
  await axe(page, 'a strategy');
  await form.getByRole('button', { name: 'Guardar' }).click();
  await page.locator('#trial-title').waitFor();
  await page.getByRole('button', { name: 'Simular sin enviar nada' }).click();
  await page.locator('[data-trial=done]').waitFor({ timeout: 60_000 });
  await page.locator('[data-arm]').first().waitFor();
  await shot(page, 'messages-strategy');
  await axe(page, 'a strategy on trial');
  const client = (await office.all('/clients'))[0].id;
  const kept = (await office.get(`/strategies?client=${client}&limit=100`)).items.find((s) => s.name === `Diaria ${STAMP}`);
  const of = (await office.get(`/messages?client=${client}&strategy=${kept.id}`)).items;
  check('a draft on trial has planned nothing', kept.status === 'draft' && of.length === 0);
  await page.getByRole('button', { name: 'Poner en marcha' }).click();
  await page.getByRole('button', { name: 'Retirar' }).click();
  await page.getByRole('button', { name: 'Poner en marcha' }).waitFor();
  await section(page, 'Pasos pendientes');
  await axe(page, 'planned steps');
}

export async function messages() {
  const browser = await open();
  const { page, errors } = browser;
  try {
    const office = await program(people.manager());
    await signIn(page, people.manager());
    await page.goto(`${base}/mensajes`);
    await templates(page);
    await sent(page, office);
    await withdrawn(page, office, true);
    await withdrawn(page, office, false);
    await inbox(page);
    await answered(office);
    await strategies(page, office);
    await signOut(page);
    check('no script failed in messages', errors.length === 0, errors.join(' | '));
  } catch (error) {
    await shot(page, 'messages-failed');
    throw error;
  } finally {
    await browser.close();
  }
}
