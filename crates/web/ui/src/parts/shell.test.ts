import { createRawSnippet } from 'svelte';
import { render } from 'svelte/server';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { setDemo } from '../lib/clock.svelte';
import Shell from './Shell.svelte';

const drawn = () => render(Shell, { props: { children: createRawSnippet(() => ({ render: () => '<p></p>' })) } }).body;

describe('the head of every screen', () => {
  beforeEach(() => void vi.stubGlobal('matchMedia', () => ({ matches: false })));
  afterEach(() => {
    setDemo(false);
    vi.unstubAllGlobals();
  });
  it('says of a compressed day how fast it runs and that nobody is heard', () => {
    setDemo(true, 60);
    const head = drawn();
    expect(head).toContain('data-speed="60"');
    expect(head).toContain('×60, sin audio');
    expect(head).toContain('troncal simulada');
  });
  it('says so of no other day', () => {
    for (const demo of [true, false]) {
      setDemo(demo);
      expect(drawn()).not.toContain('data-speed');
    }
  });
});
