// axe (WCAG 2.2 A and AA, best practice) on every screen, light and dark, Spanish and English; nothing may be wider than the window at zoom 200 %.
import { AxeBuilder } from '@axe-core/playwright';
import { base, check, open, people, shot, signIn } from './rig.mjs';

const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
const FACES = [
  { who: people.agent, paths: ['/agente'] },
  { who: people.supervisor, paths: ['/supervisor', '/piso', '/piso/manana', '/piso/asignacion', '/piso/identificadores', '/piso/entrantes', '/piso/detector'] },
  { who: people.manager, paths: ['/campanas', '/campanas/cartera', '/campanas/segmentos', '/campanas/guiones', '/campanas/deudores', '/campanas/gestiones', '/campanas/grabaciones'] },
];

async function said(builder, name) {
  const { violations } = await builder.analyze();
  const told = violations.map((v) => `${v.id}: ${v.nodes.slice(0, 3).map((n) => n.target.join(' ')).join(', ')}`);
  check(`axe ${name}`, violations.length === 0, told.join(' | '));
}

/** What axe says of the page as it stands, and whether it fits at zoom 200 %. */
export async function axe(page, name) {
  // A control that has slid half under a bar that stays in place is reached by scrolling: the page is looked at from its top.
  await page.evaluate(() => {
    for (const part of [document.scrollingElement, ...document.querySelectorAll('main, main *')]) if (part?.scrollTop) part.scrollTop = 0;
  });
  await said(new AxeBuilder({ page }).withTags(TAGS), name);
  const size = page.viewportSize();
  await page.setViewportSize({ width: Math.round(size.width / 2), height: Math.round(size.height / 2) });
  await page.waitForTimeout(200);
  const over = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  check(`zoom 200 % ${name}`, over <= 0, over);
  await page.setViewportSize(size);
}

/** The same in light and dark. Of all that axe looks for only contrast depends on colours: the dark page is looked at for that. */
export async function axeLightAndDark(page, name) {
  await axe(page, `${name} light`);
  await page.emulateMedia({ colorScheme: 'dark' });
  try {
    check(`${name} is dark`, await page.evaluate(() => getComputedStyle(document.documentElement).colorScheme === 'dark'));
    await said(new AxeBuilder({ page }).withRules(['color-contrast']), `${name} dark`);
  } finally {
    await page.emulateMedia({ colorScheme: 'light' });
  }
}

async function judge(page, path, name) {
  await page.goto(base + path);
  await page.locator('main').first().waitFor();
  await page.waitForTimeout(900); // the first data are drawn
  await axeLightAndDark(page, name);
}

export async function a11y() {
  for (const locale of ['es-MX', 'en-US']) {
    for (const face of FACES) {
      const browser = await open({ locale });
      try {
        await signIn(browser.page, face.who());
        for (const path of face.paths) await judge(browser.page, path, `${path} ${locale}`);
      } catch (error) {
        await shot(browser.page, 'a11y-failed');
        throw error;
      } finally {
        await browser.close();
      }
    }
  }
}
