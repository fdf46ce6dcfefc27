import { describe, expect, it } from 'vitest';
import { age, blend, instant, span } from './clock.svelte';
import { csv } from './csv';
import { backoff, Cursor } from './cursor';
import { addDays, friday, quincena, utcToWall, wallToUtc, zoneOf } from './dates';
import { amount, day, parseAmount, percent, reference, share, sums, wallTime } from './format';
import { uuid7 } from './uuid';
import { peaks } from './wav';

describe('timers', () => {
  it('are mm:ss, and h:mm from sixty minutes', () => {
    expect([span(0), span(59_999), span(192_000), span(3_599_000), span(3_600_000), span(-5)]).toEqual(['00:00', '00:59', '03:12', '59:59', '1:00 h', '00:00']);
    expect(span(Number.NaN)).toBe('–');
  });
  it('are near at 80 % of the limit and over at 100 %', () => {
    expect([age(79, 100), age(80, 100), age(100, 100), age(1e9, null)]).toEqual(['calm', 'near', 'over', 'calm']);
  });
  it('trust the message with the least delay', () => {
    expect(blend(1000, 1200)).toBe(1200);
    expect(blend(1000, 500)).toBeGreaterThan(980);
  });
  it('read both forms of an instant', () => {
    expect(instant(5)).toBe(5);
    expect(instant('1970-01-01T00:00:01.000Z')).toBe(1000);
    expect(instant(null)).toBeNaN();
  });
});

describe('money', () => {
  it('is read in either notation', () => {
    expect(parseAmount('1,850.50', 'MXN')).toBe(185_050);
    expect(parseAmount('1.850,50', 'MXN')).toBe(185_050);
    expect(parseAmount('1850', 'MXN')).toBe(185_000);
    expect(parseAmount('1,850', 'MXN')).toBe(185_000);
    expect(parseAmount('$ 12 480.55', 'MXN')).toBe(1_248_055);
    expect(parseAmount('25.000', 'CLP')).toBe(25_000);
    expect([parseAmount('', 'MXN'), parseAmount('abc', 'MXN'), parseAmount('-5', 'MXN')]).toEqual([null, null, null]);
  });
  it('is shown in its own minor unit and never added over currencies', () => {
    expect(amount(1_248_055, 'MXN')).toBe('$12,480.55');
    expect(amount(25_000, 'CLP')).toBe('$25,000');
    expect(sums([['MXN', 0]])).toBe('–');
    expect(sums([['MXN', 100_000], ['COP', 500_000]], false)).toBe('$1,000.00\u00a0MXN · $5,000.00\u00a0COP');
  });
  it('keeps shares without a denominator unknown', () => {
    expect(share({ numerator: 0, denominator: 0 })).toBeNull();
    expect(percent(share({ numerator: 3, denominator: 134 }), 2)).toMatch(/^2\.24\s?%$/);
  });
});

describe('dates', () => {
  it('find Friday and pay day', () => {
    expect(friday('2026-11-25')).toBe('2026-11-27');
    expect(friday('2026-11-27')).toBe('2026-12-04');
    expect(quincena('2026-11-14')).toBe('2026-11-15');
    expect(quincena('2026-11-15')).toBe('2026-11-30');
    expect(quincena('2026-11-30')).toBe('2026-12-15');
    expect(quincena('2027-02-16')).toBe('2027-02-28');
    expect(addDays('2026-12-31', 1)).toBe('2027-01-01');
  });
  it('turn the debtor’s wall time into an instant and back', () => {
    const zone = zoneOf('CO');
    const at = wallToUtc('2026-11-28T10:00', zone);
    expect(new Date(at).toISOString()).toBe('2026-11-28T15:00:00.000Z');
    expect(utcToWall(at, zone)).toBe('2026-11-28T10:00');
    expect(new Date(wallToUtc('2026-07-01T09:00', 'America/New_York')).toISOString()).toBe('2026-07-01T13:00:00.000Z');
    expect(wallToUtc('', zone)).toBeNaN();
  });
  it('show a local date without moving it', () => {
    expect(day('2026-11-28')).toContain('28');
  });
});

describe('cursor', () => {
  it('applies by one, drops what it has seen, and asks after a hole', () => {
    const cursor = new Cursor();
    expect(cursor.delta(4)).toBe('hole');
    cursor.snap(310);
    expect([cursor.delta(311), cursor.delta(311), cursor.delta(310), cursor.delta(312)]).toEqual(['apply', 'old', 'old', 'apply']);
    expect(cursor.delta(314)).toBe('hole');
    expect(cursor.at).toBeNull();
  });
  it('waits 250 ms, doubling up to 5 s, with jitter', () => {
    expect([0, 1, 2, 9].map((n) => backoff(n, 0.5))).toEqual([250, 500, 1000, 5000]);
    expect(backoff(0, 0)).toBeLessThan(backoff(0, 1));
  });
});

describe('the rest', () => {
  it('makes version 7 identifiers that sort by time', () => {
    const random = new Uint8Array(10).fill(255);
    expect(uuid7(0x0192_3456_789a, random)).toBe('01923456-789a-7fff-bfff-ffffffffffff');
    expect(uuid7(1_000) < uuid7(2_000)).toBe(true);
  });
  it('writes no cell that a spreadsheet would run', () => {
    expect(csv([['=1+1', 'a,b', '"q"', null]])).toBe('\uFEFF\'=1+1,"a,b","""q""",\r\n');
  });
  it('reads peaks of both channels of a WAV, and nothing of other bytes', () => {
    const frames = 8;
    const view = new DataView(new ArrayBuffer(44 + frames * 4));
    const put = (at: number, text: string) => [...text].forEach((c, i) => view.setUint8(at + i, c.charCodeAt(0)));
    put(0, 'RIFF'); put(8, 'WAVE'); put(12, 'fmt '); put(36, 'data');
    view.setUint32(16, 16, true); view.setUint16(20, 1, true); view.setUint16(22, 2, true);
    view.setUint32(24, 8000, true); view.setUint16(34, 16, true); view.setUint32(40, frames * 4, true);
    view.setInt16(44, 16_384, true); view.setInt16(44 + 4 * 7 + 2, -32_768, true);
    expect(peaks(view.buffer, 2)).toEqual({ seconds: 0.001, channels: [[0.5, 0], [0, 1]] });
    expect(peaks(new ArrayBuffer(80), 2)).toBeNull();
  });
});

describe('references', () => {
  it('are shown as people know them', () => {
    const shown = ['884201 00ff11ee22dd33cc', '884201 00ff11ee22dd33cc#2', '884201 00ff11ee22dd33cc!dp_1', 'row 00ff11ee22dd33cc', 'c-9~12000MXN', 'SPEI 12', 'row house'].map(reference);
    expect(shown).toEqual(['884201', '884201#2', '884201!dp_1', '–', 'c-9', 'SPEI 12', 'row house']);
  });
});

it('a wall time is shown as its place has it, whatever the zone of who looks', () => {
  for (const offset of ['-05:00', '+09:00', 'Z']) expect(wallTime(`2026-11-30T10:05:32${offset}`)).toBe(wallTime('2026-11-30T10:05:00Z'));
  expect(wallTime('2026-11-30T10:05:32-05:00')).toMatch(/30 nov 2026, 10:05/);
  expect(wallTime('soon')).toBe('soon');
});
