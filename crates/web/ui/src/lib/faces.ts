// Which screens a role has, its own first.
import type { Key } from './i18n.svelte';
import type { Role } from './session.svelte';

export interface Face {
  key: 'agent' | 'board' | 'manage';
  path: string;
  label: Key;
}
const AGENT: Face = { key: 'agent', path: '/agente', label: 'face.agent' };
const BOARD: Face = { key: 'board', path: '/supervisor', label: 'face.board' };
const MANAGE: Face = { key: 'manage', path: '/campanas', label: 'face.manage' };

export function faces(role: Role | null): Face[] {
  if (role === 'agent') return [AGENT];
  if (role === 'supervisor') return [BOARD];
  if (role === 'manager' || role === 'admin') return [MANAGE, BOARD];
  return [];
}
