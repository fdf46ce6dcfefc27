import { describe, expect, it } from 'vitest';
import { isOverdue, maskedValue, wishNeeds } from './codes';

const row = (state: string, deadline: string, received_at: string) => ({ state, deadline, received_at });

describe('complaints', () => {
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
