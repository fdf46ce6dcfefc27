import { describe, expect, it } from 'vitest';
import { everyDay, freeDays, switched, withDay } from './days';

describe('days of a campaign', () => {
  it('keeps days off once and in order, and takes no half-typed date', () => {
    expect(withDay(['2026-12-25'], '2026-12-08')).toEqual(['2026-12-08', '2026-12-25']);
    expect(withDay(['2026-12-25'], '2026-12-25')).toEqual(['2026-12-25']);
    expect(withDay(['2026-12-25'], '')).toEqual(['2026-12-25']);
  });
  it('switches a day and keeps the order of the week', () => {
    expect(switched(['fri'], 'mon')).toEqual(['mon', 'fri']);
    expect(switched(['mon', 'fri'], 'mon')).toEqual(['fri']);
  });
  it('offers the working days first, then those that are left', () => {
    const plan = everyDay();
    expect(freeDays(plan)).toEqual(['mon', 'tue', 'wed', 'thu', 'fri']);
    plan.hours = [{ days: ['mon', 'tue', 'wed', 'thu', 'fri'], from: '09:00', to: '20:00' }];
    expect(freeDays(plan)).toEqual(['sat', 'sun']);
  });
});
