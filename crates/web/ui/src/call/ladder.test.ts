import { describe, expect, it } from 'vitest';
import { arrows, band, lifelines, lossPercent, mos, ROW, tall, TOP } from './ladder';
import type { SipStep } from './types';

const step = (over: Partial<SipStep>): SipStep => ({ at: '2026-11-26T10:00:00.000Z', leg: 'debtor', out: true, name: 'INVITE', code: null, cseq: '1 INVITE', reason: null, sdp: true, repeat: false, bytes: 800, left_before: 0, ...over });

describe('the ladder', () => {
  it('draws each message from its sender to its receiver, in order', () => {
    const [invite, ringing] = arrows([step({}), step({ out: false, name: '180 Ringing', code: 180, at: '2026-11-26T10:00:00.640Z' })]);
    expect(invite!.from).toBeLessThan(invite!.to);
    expect([ringing!.from, ringing!.to]).toEqual([invite!.to, invite!.from]);
    expect([invite!.y, ringing!.y]).toEqual([TOP, TOP + ROW]);
    expect(ringing!.after).toBe(640);
  });
  it('has a third line only where a number was called into the call', () => {
    expect(lifelines([step({})])).toHaveLength(2);
    expect(lifelines([step({}), step({ leg: 'party' })]).map((l) => l.key)).toEqual(['us', 'debtor', 'party']);
    expect(arrows([])).toEqual([]);
  });
  it('leaves a row where messages of the middle were not kept', () => {
    const [before, after, last] = arrows([step({}), step({ name: 'UPDATE', left_before: 61 }), step({ name: 'BYE' })]);
    expect([before!.gap, after!.gap, last!.gap]).toEqual([null, TOP + ROW, null]);
    expect([before!.y, after!.y, last!.y]).toEqual([TOP, TOP + 2 * ROW, TOP + 3 * ROW]);
    expect(tall([before!, after!, last!])).toBe(TOP + 4 * ROW);
    expect(tall([])).toBe(TOP + ROW);
  });
  it('reads quality', () => {
    expect([mos(432), mos(null)]).toEqual(['4.32', '–']);
    expect([band(432), band(380), band(300), band(null)]).toEqual(['good', 'fair', 'poor', 'none']);
    expect(lossPercent(99, 1)).toBe(0.01);
    expect(lossPercent(0, 0)).toBeNull();
  });
});
