// Which screens a role has, its own first.
import type { Key } from './i18n.svelte';
import type { Role } from './session.svelte';

export interface Face {
  key: 'agent' | 'board' | 'manage' | 'floor' | 'plans' | 'law' | 'money' | 'messages' | 'reports';
  path: string;
  label: Key;
}
const AGENT: Face = { key: 'agent', path: '/agente', label: 'face.agent' };
const BOARD: Face = { key: 'board', path: '/supervisor', label: 'face.board' };
const FLOOR: Face = { key: 'floor', path: '/piso', label: 'face.floor' };
const PLANS: Face = { key: 'plans', path: '/convenios', label: 'face.plans' };
const LAW: Face = { key: 'law', path: '/cumplimiento', label: 'face.law' };
const REPORTS: Face = { key: 'reports', path: '/reportes', label: 'face.reports' };
const MESSAGES: Face = { key: 'messages', path: '/mensajes', label: 'face.messages' };
const MONEY: Face = { key: 'money', path: '/dinero', label: 'face.money' };
const MANAGE: Face = { key: 'manage', path: '/campanas', label: 'face.manage' };

export function faces(role: Role | null): Face[] {
  if (role === 'agent') return [AGENT];
  if (role === 'supervisor') return [BOARD, FLOOR, MONEY, PLANS, MESSAGES, REPORTS, LAW];
  if (role === 'manager' || role === 'admin') return [MANAGE, BOARD, FLOOR, MONEY, PLANS, MESSAGES, REPORTS, LAW];
  return [];
}
