import { describe, expect, it } from 'vitest';
import { again, loudness, refusalOf, SPOKEN, wish } from './phone';

describe('the browser as a phone', () => {
  it('is the phone where none is registered, and in the demo', () => {
    expect(wish(null, true, false)).toBe('sip');
    expect(wish(null, false, false)).toBe('browser');
    expect(wish(null, true, true)).toBe('browser');
    expect(wish('sip', false, true)).toBe('sip');
    expect(wish('browser', true, false)).toBe('browser');
  });
  it('comes again at once, then slower, never slower than five seconds and a bit', () => {
    expect(again(0, 1)).toBe(0);
    expect(again(1, 0.5)).toBe(250);
    expect(again(3, 0.5)).toBe(1_000);
    expect(again(30, 1)).toBe(6_250);
  });
  it('says why there is no microphone', () => {
    const named = (name: string) => Object.assign(new Error(name), { name });
    expect(refusalOf(named('NotAllowedError'))).toBe('denied');
    expect(refusalOf(named('NotFoundError'))).toBe('none');
    expect(refusalOf(named('NotReadableError'))).toBe('busy');
    expect(refusalOf(named('SecurityError'))).toBe('insecure');
    expect(refusalOf('?')).toBe('denied');
  });
  it('measures loudness in decibels', () => {
    const sine = (peak: number) => Float32Array.from({ length: 1024 }, (_, i) => peak * Math.sin(i / 3));
    expect(loudness(new Float32Array(1024))).toBe(0);
    expect(loudness(sine(0.3))).toBeGreaterThan(SPOKEN);
    expect(loudness(sine(0.003))).toBeLessThan(SPOKEN);
    expect(loudness(sine(2))).toBe(1);
  });
});
