// Agent states as colour, icon and word: one table for desk and board.
import type { Component } from 'svelte';
import Circle from '@lucide/svelte/icons/circle';
import CircleDot from '@lucide/svelte/icons/circle-dot';
import Eye from '@lucide/svelte/icons/eye';
import Hand from '@lucide/svelte/icons/hand';
import Pause from '@lucide/svelte/icons/pause';
import PenLine from '@lucide/svelte/icons/pen-line';
import PhoneCall from '@lucide/svelte/icons/phone-call';
import PhoneIncoming from '@lucide/svelte/icons/phone-incoming';
import TriangleAlert from '@lucide/svelte/icons/triangle-alert';
import { word } from './i18n.svelte';
import type { AgentState } from './wire';

export type Tone = 'ready' | 'call' | 'wrap' | 'pause' | 'off' | 'danger';
const LOOK: Record<AgentState, [Tone, Component<{ size?: number }>]> = {
  offline: ['off', Circle],
  ready: ['ready', CircleDot],
  reserved: ['call', PhoneIncoming],
  preview: ['call', Eye],
  ringing: ['call', PhoneIncoming],
  talking: ['call', PhoneCall],
  hold: ['call', Hand],
  wrapup: ['wrap', PenLine],
  paused: ['pause', Pause],
  lagged: ['off', TriangleAlert],
};
export const tone = (state: AgentState): Tone => LOOK[state]?.[0] ?? 'off';
export const icon = (state: AgentState): Component<{ size?: number }> => LOOK[state]?.[1] ?? Circle;

export function stateWords(state: AgentState, pause: string | null | undefined): string {
  const name = word('state', state);
  return state === 'paused' && pause ? `${name} · ${word('pause', pause)}` : name;
}
/** Codes that an agent may choose, in the order of their digits. */
export const PAUSES = ['break', 'lunch', 'restroom', 'training', 'coaching', 'admin'] as const;
