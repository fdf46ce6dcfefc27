import { describe, expect, it } from 'vitest';
import { choicesWith, figureOrNone, placed } from './lines';

describe('what is tried in order', () => {
  it('sets, adds and takes away a place', () => {
    expect(placed(['a', 'b'], 1, 'c')).toEqual(['a', 'c']);
    expect(placed(['a', 'b'], 2, 'c')).toEqual(['a', 'b', 'c']);
    expect(placed(['a', 'b', 'c'], 1, '')).toEqual(['a', 'c']);
    expect(placed(['a'], 0, '')).toEqual([]);
  });
  it('holds each once and leaves the old list as it was', () => {
    const list = ['a', 'b'];
    expect(placed(list, 1, 'a')).toEqual(['a']);
    expect(list).toEqual(['a', 'b']);
  });
});

it('an empty or half-typed figure is none, and zero is a figure', () => {
  expect(figureOrNone({ value: '', valueAsNumber: NaN })).toBeNull();
  expect(figureOrNone({ value: '-', valueAsNumber: NaN })).toBeNull();
  expect(figureOrNone({ value: '0', valueAsNumber: 0 })).toBe(0);
  expect(figureOrNone({ value: '2.5', valueAsNumber: 2.5 })).toBe(2.5);
});

it('shows what is chosen though it is there no more', () => {
  const known = [{ key: 'norte', label: 'norte' }, { key: 'sur', label: 'sur' }];
  const gone = (key: string) => `${key}?`;
  expect(choicesWith(known, ['sur'], gone)).toEqual(known);
  expect(choicesWith(known, ['viejo', 'sur'], gone)).toEqual([...known, { key: 'viejo', label: 'viejo?' }]);
});
