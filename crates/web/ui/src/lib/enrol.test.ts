import { afterEach, describe, expect, it, vi } from 'vitest';
import { groups } from './enrol';
import { confirmSecondFactor, offerSecondFactor, session, signIn } from './session.svelte';

const answer = (status: number, body?: unknown): Response =>
  new Response(body === undefined ? null : JSON.stringify(body), { status, headers: { 'content-type': 'application/json' } });

afterEach(() => vi.unstubAllGlobals());

describe('second factor', () => {
  it('shows the secret in groups of four', () => {
    expect(groups('ABCDEFGHIJ')).toBe('ABCD EFGH IJ');
    expect(groups('ABCDEFGH')).toBe('ABCD EFGH');
    expect(groups('')).toBe('');
  });

  it('enrols with the token of the first sign-in, then asks to sign in again', async () => {
    const kept = new Map<string, string>();
    vi.stubGlobal('localStorage', {
      getItem: (key: string) => kept.get(key) ?? null,
      setItem: (key: string, value: string) => kept.set(key, value),
      removeItem: (key: string) => kept.delete(key),
    });
    const asked: string[] = [];
    vi.stubGlobal('fetch', async (url: string, init: RequestInit) => {
      const path = new URL(url, 'http://localhost').pathname.replace('/api/v1', '');
      asked.push(`${init.method} ${path} ${new Headers(init.headers).get('authorization') ?? '-'}`);
      if (path === '/sessions')
        return answer(200, { token: 'T', expires_at: 'x', role: 'admin', second_factor: 'enrol', user: { id: '1', display_name: 'A', role: 'admin' } });
      if (path === '/me/totp') return answer(200, { secret: 'ABCD', otpauth_url: 'otpauth://totp/x' });
      return answer(204);
    });
    await signIn('admin', 'secret');
    expect(session.phase).toBe('enrol');
    expect(kept.size).toBe(0);
    const offer = await offerSecondFactor();
    expect(offer.secret).toBe('ABCD');
    await confirmSecondFactor(offer.secret, '123456');
    expect(session.phase).toBe('out');
    expect(session.enrolled).toBe(true);
    expect(asked).toEqual(['POST /sessions -', 'POST /me/totp Bearer T', 'POST /me/totp/confirm Bearer T']);
  });
});
