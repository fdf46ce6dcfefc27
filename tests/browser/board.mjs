// A supervisor's look: figures that agree with the server, age of the data, filter, panel, chart with its table, English.
import { check, open, people, program, shot, signIn, signOut, until } from './rig.mjs';

export async function board() {
  const browser = await open({ width: 1920, height: 1080 });
  const { page } = browser;
  const office = await program(people.manager());
  try {
    await signIn(page, people.supervisor());
    await page.locator('[data-agent]').first().waitFor();
    check('agents are on the board', (await page.locator('[data-agent]').count()) >= 3);
    check('unsigned packs are shown on the board', await page.locator('.main [data-standing]').first().isVisible());
    const campaigns = (await office.all('/campaigns')).filter((c) => c.status === 'running');
    const shown = await page.locator('section[aria-labelledby=campaigns-title]').innerText();
    check('every running campaign is on the board', campaigns.length > 0 && campaigns.every((c) => shown.includes(c.name)), shown);
    for (let n = 0; n < 5; n += 1) {
      await page.waitForTimeout(1_000);
      const age = Number(await page.locator('[data-age]').getAttribute('data-age'));
      check('data are younger than 3 s', age < 3_000, age);
    }
    const attempts = async () => (await Promise.all(campaigns.map((c) => office.get(`/campaigns/${c.id}/live`)))).reduce((n, c) => n + c.attempts_today, 0);
    const least = await attempts();
    check('attempts are made', least > 0, least);
    await shot(page, 'supervisor');
    await page.keyboard.press('/');
    const name = (await page.locator('[data-agent] .name').first().innerText()).trim();
    await page.keyboard.type(name);
    await until('the filter', async () => (await page.locator('[data-agent]').count()) >= 1 && (await page.locator('[data-agent] .name').allInnerTexts()).every((n) => n.includes(name)));
    await page.keyboard.press('Escape');
    await page.keyboard.press('j');
    await until('the agent panel', async () => (await page.locator('aside, .page.with').count()) > 0);
    check('J opens the panel of an agent', true);
    await shot(page, 'supervisor-panel');
    await page.keyboard.press('Escape');
    await page.keyboard.press('g');
    await page.locator('#chart-title').waitFor();
    await page.getByRole('button', { name: /^(Tabla|Ver tabla|Como tabla|Table|As table|Show table)/ }).first().click();
    await until('the table twin of the chart', async () => (await page.locator('[aria-labelledby=chart-title] tbody tr').count()) > 0);
    check('the chart has its table', true);
    await page.locator('button.lang').click();
    await until('English', async () => (await page.locator('html').getAttribute('lang')) === 'en');
    await page.locator('button.lang').click();
    await signOut(page);
    check('no errors on the page', browser.errors.length === 0, browser.errors.join('; '));
  } catch (error) {
    await shot(page, 'board-failed');
    throw error;
  } finally {
    await browser.close();
  }
}
