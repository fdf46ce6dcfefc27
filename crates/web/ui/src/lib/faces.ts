// Which screens a role has, its own first.
import type { Key } from './i18n.svelte';
import type { Role } from './session.svelte';

export interface Face {
  key: 'agent' | 'board' | 'manage' | 'floor' | 'law';
  path: string;
  label: Key;
}
const AGENT: Face = { key: 'agent', path: '/agente', label: 'face.agent' };
const BOARD: Face = { key: 'board', path: '/supervisor', label: 'face.board' };
const FLOOR: Face = { key: 'floor', path: '/piso', label: 'face.floor' };
const LAW: Face = { key: 'law', path: '/cumplimiento', label: 'face.law' };
const MANAGE: Face = { key: 'manage', path: '/campanas', label: 'face.manage' };

export function faces(role: Role | null): Face[] {
  if (role === 'agent') return [AGENT];
  if (role === 'supervisor') return [BOARD, FLOOR, LAW];
  if (role === 'manager' || role === 'admin') return [MANAGE, BOARD, FLOOR, LAW];
  return [];
}
