import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { follow, moneyMoved } from './moved';

const page = { hidden: false, shown: () => undefined as void };
let reads = 0;
let slow = 0;
let end = () => undefined as void;
const read = async (): Promise<void> => {
  reads += 1;
  if (slow) await new Promise((done) => setTimeout(done, slow));
};

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal('document', { get hidden() { return page.hidden; }, addEventListener: (_: string, told: () => void) => (page.shown = told), removeEventListener: () => undefined });
  [reads, slow, page.hidden] = [0, 0, false];
});
afterEach(() => {
  end();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe('money that moved', () => {
  it('is read at once, and after a burst once more, within a second of its last', async () => {
    end = follow(read);
    moneyMoved('a');
    expect(reads).toBe(1);
    for (let n = 0; n < 20; n++) moneyMoved('b');
    await vi.advanceTimersByTimeAsync(700);
    expect(reads).toBe(2);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(reads).toBe(2);
  });
  it('is read of the client that is shown alone, and of all when a socket came back', () => {
    end = follow(read, 'a');
    moneyMoved('b');
    expect(reads).toBe(0);
    moneyMoved();
    expect(reads).toBe(1);
  });
  it('is never read twice at a time, and of a slow server seldom', async () => {
    slow = 3_000;
    end = follow(read);
    for (let ms = 0; ms < 11_000; ms += 250) {
      moneyMoved();
      await vi.advanceTimersByTimeAsync(250);
    }
    expect(reads).toBe(2);
  });
  it('waits until somebody looks', () => {
    page.hidden = true;
    end = follow(read);
    moneyMoved();
    expect(reads).toBe(0);
    page.hidden = false;
    page.shown();
    expect(reads).toBe(1);
  });
  it('is looked for where nobody told, until it is over', async () => {
    end = follow(read, '', 2_000);
    await vi.advanceTimersByTimeAsync(4_500);
    expect(reads).toBe(2);
    end();
    moneyMoved();
    await vi.advanceTimersByTimeAsync(9_000);
    expect(reads).toBe(2);
  });
});
