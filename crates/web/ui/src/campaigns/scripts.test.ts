import { describe, expect, it } from 'vitest';
import { Problem } from '../lib/api';
import { scriptWrong } from './scripts';

const refused = (path: string, reason: string) => Object.assign(Object.create(Problem.prototype) as Problem, { errors: [{ path, reason }] });

describe('a refused script row_22', () => {
  it('says what is wrong at its place, in the words of the screen', () => {
    const path = 'objections[1].answer_es';
    const told = (reason: string) => scriptWrong(refused(path, reason))[path];
    expect(told('an answer stays polite: line 1, column 8: \u201cirresponsable\u201d')).toBe('Una respuesta se mantiene cortés: no diga «irresponsable».');
    expect(told('before identity nothing tells of the debt; found {debt.balance}')).toContain('{debt.balance}');
    expect(told('no variable {debt.secret}: expected one of debtor.name')).toContain('{debt.secret}');
    expect(told('expected 1 to 1000 characters')).toContain('1000');
  });
});
