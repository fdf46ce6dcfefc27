// A visit from the debtor's file: refused at night by its rule and in words, planned, given back, planned again and recorded.
import { axe } from './a11y.mjs';
import { base, check, shot, until } from './rig.mjs';

/** Where the visited debtor lives: the law of one country lets visits be made when the demo begins. */
const COUNTRY = 'MX';
const ZONE = 'America/Mexico_City';
const DAY_MS = 86_400_000;
const day = (ms) => new Intl.DateTimeFormat('en-CA', { timeZone: ZONE }).format(ms);
const wall = (ms) => `${day(ms)}T${new Intl.DateTimeFormat('en-GB', { timeZone: ZONE, hour: '2-digit', minute: '2-digit' }).format(ms)}`;

/** A debtor with an address who is not called meanwhile: nothing of his is late. */
async function resident(office, client) {
  const { items } = await office.get(`/debts?client=${client}&limit=500`);
  const { now } = await office.get('/clock');
  for (const debt of items.filter((d) => d.status === 'open' && d.due_date >= day(Date.parse(now)))) {
    const file = await office.get(`/debtors/${debt.debtor_id}`);
    if (file.debtor.country === COUNTRY && file.addresses.length && !file.holds.length) return file;
  }
  throw new Error('no debtor of the demo lives anywhere');
}

/** One visit on the file of a debtor, on the page that is open. */
export async function visits(page, office, client) {
  const { debtor, addresses } = await resident(office, client);
  const stored = async () => (await office.get(`/debtors/${debtor.id}/visits`)).items;
  await page.goto(`${base}/campanas/deudores/${debtor.id}`);
  const sheet = page.locator('section[aria-labelledby=f-visits]');
  const press = (what) => sheet.locator('header').getByRole('button', { name: what }).click();
  const send = async (fields) => {
    for (const [name, value] of Object.entries(fields)) {
      const field = sheet.locator(`[name=${name}]`);
      await (name === 'outcome' ? field.selectOption(value) : field.fill(value));
    }
    await sheet.locator('form button.primary').click();
  };
  const state = (what) => sheet.locator(`[data-visit=${what}]`).first().waitFor();
  await press('Planear visita');
  const { now } = await office.get('/clock');
  // The next day but Saturday and Sunday; three in the night, then noon.
  const next = [1, 2, 3].map((n) => Date.parse(now) + n * DAY_MS).find((ms) => ![0, 6].includes(new Date(`${day(ms)}T12:00:00Z`).getUTCDay()));
  await send({ at: `${day(next)}T03:00` });
  const said = sheet.locator('[role=alert]');
  await said.waitFor();
  const words = await said.innerText();
  check('a visit at night is refused by its rule and in words', /mx-condusef\/windows/.test(words) && words.replace(/\S*\/\S*/g, '').trim().length > 10, words);
  check('what was refused is not planned', (await stored()).length === 0);
  await shot(page, 'visits-refused');
  await axe(page, 'a visit that is refused');
  await send({ at: `${day(next)}T12:00` });
  await state('planned');
  const [planned] = await stored();
  check('a visit is planned for its place and hour', planned.address_id === addresses[0].id && wall(Date.parse(planned.planned_at)) === `${day(next)}T12:00`, JSON.stringify(planned));
  await press('Cancelar visita');
  await send({ reason: 'llueve' });
  await state('cancelled');
  check('a visit is given back with its reason', (await stored())[0].reason === 'llueve');
  await press('Planear visita');
  await sheet.locator('form button.primary').click();
  await state('planned');
  await press('Registrar visita');
  await send({ outcome: 'other_person', note: 'Atendió un vecino', at: wall(Date.parse((await office.get('/clock')).now)) });
  await state('made');
  const made = await until('the visit is stored as made', async () => (await stored()).find((v) => v.state === 'made'));
  check('a visit is recorded with whom it met', made.outcome === 'other_person' && made.note === 'Atendió un vecino', JSON.stringify(made));
  await shot(page, 'visits');
  await axe(page, 'visits in the file');
}
