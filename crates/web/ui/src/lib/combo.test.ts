import { describe, expect, it } from 'vitest';
import { ariaShortcut, belongsToField, combo, forbidden, printed } from './combo';

const press = (code: string, more: Partial<Record<'key' | 'ctrlKey' | 'altKey' | 'metaKey' | 'shiftKey', unknown>> = {}) =>
  combo({ code, key: '', ctrlKey: false, altKey: false, metaKey: false, shiftKey: false, ...more } as Parameters<typeof combo>[0]);

describe('combo', () => {
  it('names keys by their place, and the numeric pad counts', () => {
    expect(press('Digit1', { key: '1' })).toBe('Digit1');
    expect(press('Numpad1', { key: '1' })).toBe('Digit1');
    expect(press('NumpadEnter', { key: 'Enter' })).toBe('Enter');
    expect(press('KeyK', { key: 'k', ctrlKey: true })).toBe('Ctrl+KeyK');
  });
  it('finds / and # wherever the layout has them', () => {
    expect(press('Digit7', { key: '/', shiftKey: true })).toBe('Slash');
    expect(press('Slash', { key: '/' })).toBe('Slash');
    expect(press('NumpadDivide', { key: '/' })).toBe('Slash');
    expect(press('Slash', { key: '-' })).toBe('Slash');
    expect(press('Digit3', { key: '#', shiftKey: true })).toBe('Hash');
  });
  it('never takes Alt, AltGr, Meta or Shift', () => {
    for (const more of [{ altKey: true }, { altKey: true, ctrlKey: true }, { metaKey: true }, { shiftKey: true }]) {
      expect(press('KeyQ', { key: 'q', ...more })).toBeNull();
    }
    // AltGr writes @ and # on Latin American keyboards.
    expect(press('KeyQ', { key: '@', altKey: true, ctrlKey: true })).toBeNull();
    expect(press('Digit3', { key: '#', altKey: true, ctrlKey: true })).toBeNull();
  });
});

describe('rules of keys', () => {
  it('leaves writing keys to fields, and function keys to the desk', () => {
    for (const name of ['Digit1', 'KeyS', 'Slash', 'Hash', 'Enter', 'Space', 'ArrowLeft']) expect(belongsToField(name), name).toBe(true);
    for (const name of ['F2', 'F9', 'Ctrl+Enter', 'Ctrl+KeyK', 'Escape']) expect(belongsToField(name), name).toBe(false);
  });
  it('leaves search, reload, full screen and tools to the browser', () => {
    for (const name of ['F3', 'F5', 'F11', 'F12', 'Ctrl+KeyC', 'Tab']) expect(forbidden(name), name).toBe(true);
    expect(forbidden('F4')).toBe(false);
  });
  it('prints and announces', () => {
    expect([printed('Digit1'), printed('Slash'), printed('Ctrl+KeyK'), printed('Enter')]).toEqual(['1', '/', 'Ctrl+K', '⏎']);
    expect([ariaShortcut('Ctrl+KeyK'), ariaShortcut('Hash'), ariaShortcut('F2')]).toEqual(['Control+K', '#', 'F2']);
  });
});
