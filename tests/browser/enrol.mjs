// The first admin of a fresh installation: the second factor is set before anything else can be done.
// ENROL_URL, ENROL_LOGIN=user:password of a server nobody has signed in to yet.
import { createHmac } from 'node:crypto';
import { axe } from './a11y.mjs';
import { check, LONG_MS, open, people, shot, until } from './rig.mjs';

/** Seconds a code holds (RFC 6238). */
const STEP_S = 30;

function base32(text) {
  let bits = '';
  for (const c of text.replace(/[\s=]/g, '').toUpperCase()) bits += 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(c).toString(2).padStart(5, '0');
  return Buffer.from(bits.match(/.{8}/g).map((byte) => parseInt(byte, 2)));
}

/** The code of an authenticator application at a time step, from the address it would be given (RFC 6238, 4226). */
function code(otpauth, step) {
  const query = new URL(otpauth).searchParams;
  const digits = Number(query.get('digits') ?? 6);
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(step));
  const mac = createHmac(query.get('algorithm') ?? 'SHA1', base32(query.get('secret'))).update(counter).digest();
  const at = mac[mac.length - 1] & 15;
  return String((mac.readUInt32BE(at) & 0x7fffffff) % 10 ** digits).padStart(digits, '0');
}
const step = () => Math.floor(Date.now() / 1000 / STEP_S);

async function enter(page, who, otp) {
  await page.locator('[name=username]').fill(who.username);
  await page.locator('[name=password]').fill(who.password);
  if (otp) await page.locator('[name=otp]').fill(otp);
  await page.locator('[type=submit]').click();
}

export async function enrol() {
  const url = process.env.ENROL_URL;
  if (!url) throw new Error('ENROL_URL is not set');
  const who = people.first();
  for (const [locale, scheme] of [['es-MX', 'light'], ['en-US', 'dark']]) {
    const { page, close } = await open({ locale, scheme });
    try {
      await page.goto(url);
      await page.locator('[name=username]').waitFor();
      await axe(page, `sign-in ${locale} ${scheme}`);
      await enter(page, who);
      await page.locator('#enrol-secret').waitFor();
      await axe(page, `second factor ${locale} ${scheme}`);
      await shot(page, `enrol-${scheme}`);
    } finally {
      await close();
    }
  }
  const browser = await open();
  const { page } = browser;
  try {
    await page.goto(url);
    await enter(page, who);
    await page.locator('#enrol-secret').waitFor();
    check('nothing else is reachable before', (await page.locator('header.top').count()) === 0);
    const otpauth = await page.locator('a[href^="otpauth:"]').getAttribute('href');
    const shown = (await page.locator('.secret code').first().innerText()).replace(/\s/g, '');
    check('the secret is in the address too', new URL(otpauth).searchParams.get('secret') === shown);
    const wrong = String((Number(code(otpauth, step())) + 1) % 1_000_000).padStart(6, '0');
    await page.locator('[name=otp]').fill(wrong);
    await page.keyboard.press('Enter');
    await page.getByRole('alert').waitFor();
    check('a wrong code is told', (await page.locator('header.top').count()) === 0);
    const used = step();
    await page.locator('[name=otp]').fill(code(otpauth, used));
    await page.keyboard.press('Enter');
    await page.locator('[role=status].good').waitFor();
    check('it asks to sign in again', await page.locator('[name=otp]').isVisible());
    await enter(page, who, code(otpauth, used));
    await page.getByRole('alert').waitFor();
    check('a code that was used opens nothing', (await page.locator('header.top').count()) === 0);
    await until('the next code', () => step() > used, LONG_MS);
    await enter(page, who, code(otpauth, step()));
    await page.locator('header.top').waitFor();
    check('the password and the next code open', true);
    check('no errors on the page', browser.errors.length === 0, browser.errors.join('; '));
  } catch (error) {
    await shot(page, 'enrol-failed');
    throw error;
  } finally {
    await browser.close();
  }
}
