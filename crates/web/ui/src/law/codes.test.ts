import { describe, expect, it } from 'vitest';
import { byUrgency, isOverdue, maskedValue, wishNeeds } from './codes';

const row = (state: string, deadline: string, received_at: string) => ({ state, deadline, received_at });

describe('complaints', () => {
  it('come overdue first, then by deadline, decided ones last', () => {
    const rows = [row('closed', '2026-01-01', '2026-01-01'), row('open', '2026-12-01', '2026-11-01'), row('answered', '2026-11-01', '2026-10-01'), row('open', '2026-11-01', '2026-10-01')];
    expect(byUrgency(rows).map((r) => [r.state, r.deadline])).toEqual([['open', '2026-11-01'], ['open', '2026-12-01'], ['answered', '2026-11-01'], ['closed', '2026-01-01']]);
  });
  it('are overdue the day after their deadline, and only while open', () => {
    expect(isOverdue(row('open', '2026-11-26', ''), '2026-11-26')).toBe(false);
    expect(isOverdue(row('open', '2026-11-25', ''), '2026-11-26')).toBe(true);
    expect(isOverdue(row('answered', '2026-11-25', ''), '2026-11-26')).toBe(false);
  });
});

describe('codes', () => {
  it('say which fields a preference has', () => {
    expect(wishNeeds('not_between')).toEqual({ hours: true, channel: false, point: false });
    expect(wishNeeds('only_channel')).toEqual({ hours: false, channel: true, point: false });
    expect(wishNeeds('not_point')).toEqual({ hours: false, channel: false, point: true });
    expect(wishNeeds('elderly')).toEqual({ hours: false, channel: false, point: false });
  });
  it('never show what is listed whole', () => {
    expect(maskedValue('phone', '+525512345678')).toBe('··· 5678');
    expect(maskedValue('document', 'RUIA800101AB1')).toBe('··· AB1');
    expect(maskedValue('email', 'ana@casa.example')).toBe('a···@casa.example');
  });
});
