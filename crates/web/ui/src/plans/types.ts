// Rows of plans, stages and letters, as the API gives them.
import type { PlanState } from '../lib/wire';

export interface Plan {
  id: string;
  client_id: string;
  debtor_id: string;
  debt_id: string;
  agent_id: string | null;
  currency: string;
  balance_minor: number;
  quita_minor: number;
  agreed_minor: number;
  policy_version: number;
  state: PlanState;
  answer_reason: string | null;
  document_sha256: string | null;
  made_at: string;
  signed_at: string | null;
  closed_at: string | null;
}
export interface Instalment {
  id: string;
  position: number;
  due_date: string;
  amount_minor: number;
  paid_minor: number;
  state: 'due' | 'paid' | 'missed';
}
export interface PlanFile {
  plan: Plan;
  instalments: Instalment[];
}
export const STATES: PlanState[] = ['offered', 'approved', 'signed', 'active', 'completed', 'broken', 'cancelled'];
export const STAGES = ['preventive', 'administrative', 'extrajudicial', 'prejudicial', 'judicial', 'written_off', 'sold'] as const;
export interface DebtStage {
  debt_id: string;
  debtor_id: string;
  stage: (typeof STAGES)[number];
  entered_at: string;
  deadline: string | null;
  owner_id: string | null;
  /** His name, in lists. */
  owner?: string | null;
  late_at: string | null;
  /** The debt's statute date that he was told is near. */
  statute_told: string | null;
  reason: string;
}
export interface Reason {
  code: string;
  es: string;
  en: string;
}
export interface StageView {
  stage: DebtStage | null;
  advice: { to: DebtStage['stage'] | null; reasons: Reason[]; missing: Reason[] };
}
export const LEVELS = ['L1', 'L2', 'L3', 'L4'] as const;
export interface LetterText {
  id: string;
  level: (typeof LEVELS)[number];
  language: 'es' | 'en' | 'pt';
  version: number;
  letterhead: string;
  subject: string;
  body: string;
}
export interface Batch {
  id: string;
  segment_id: string | null;
  strategy_id: string | null;
  level: (typeof LEVELS)[number];
  state: 'running' | 'done' | 'failed';
  total: number;
  done: number;
  made: number;
  left_out: number;
  fault: string | null;
  made_at: string;
}
export interface LetterLine {
  id: string;
  level: (typeof LEVELS)[number];
  language: string;
  dated: string;
  made_at: string;
}
