import { expect, it } from 'vitest';
import { Problem } from './api';
import { wrongIn } from './refused';

const refused = new Problem(422, 'invalid', '', '', [
  { path: 'address.zone', reason: 'no such zone' },
  { path: 'addressee', reason: 'expected one' },
  { reason: 'says no place' },
]);

it('names a field by its path within the part that a form edits', () => {
  expect(wrongIn(refused, 'address')).toEqual({ zone: 'no such zone', addressee: 'expected one' });
  expect(wrongIn(refused)).toEqual({ 'address.zone': 'no such zone', addressee: 'expected one' });
  expect(wrongIn(refused, 'address', (reason) => reason.toUpperCase())).toEqual({ zone: 'NO SUCH ZONE', addressee: 'EXPECTED ONE' });
});

it('names none where something else went wrong', () => expect(wrongIn(new Error('offline'), 'address')).toEqual({}));
