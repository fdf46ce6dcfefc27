// Shapes of the socket's messages, as the server's /ws/schema.json gives them.
import type { Money, Ratio, Sum } from './format';

export type AgentState = 'offline' | 'ready' | 'reserved' | 'preview' | 'ringing' | 'talking' | 'hold' | 'wrapup' | 'paused' | 'lagged';
export interface Named {
  id: string;
  name: string;
}

export interface MeAttempt {
  id: string;
  since: number;
  identity: boolean;
  held: boolean;
  muted: boolean;
  recording: 'on' | 'paused' | 'off';
  /** When a pause of the recording ends by itself, epoch ms. */
  recording_until?: number | null;
  answered_at: number | null;
  ended_at: number | null;
  /** One side has not been heard for 3 s. */
  audio?: 'ok' | 'one_way';
  /** Only consulted: the call is a colleague's. */
  consulted?: boolean;
  transfer?: MeTransfer | null;
  /** What the sound of the call was taken for. */
  heard?: { class: string; confidence_pm: number; reason: string; acted: string } | null;
}
export interface MeTransfer {
  kind: 'agent' | 'queue' | 'number' | 'take_over';
  mode: 'blind' | 'attended';
  to: string;
  from: string;
  mine: boolean;
  stage: 'asking' | 'waiting' | 'ringing' | 'talking';
  since: number;
  until: number | null;
}
export interface Me {
  agent: string;
  name: string;
  state: AgentState;
  since: number;
  pause_code: string | null;
  queued: string | null;
  campaign: Named | null;
  attempt: MeAttempt | null;
  ended?: { cause_es: string; cause_en: string; by: 'debtor' | 'agent' | 'system' } | null;
  limits: { wrapup_max_s: number; wrapup_s: number };
  phone: { registered: boolean; leg_up: boolean };
  today: { calls: number; rpc: number; promises: number; promised: Sum[]; occupancy_pct: number };
}

export interface Phone {
  point: string;
  masked: string;
  class: string;
  bad: boolean;
}
export interface CardDebt {
  id: string;
  external_ref: string | null;
  product: string | null;
  creditor: string | null;
  bucket: string;
  /** The client's own name of it. */
  bucket_label?: string | null;
  days_past_due: number;
  balance: Money | null;
  overdue: Money | null;
  minimum: Money | null;
  /** Unpaid due items, oldest first. */
  items?: { due_date: string; open: Money | null }[];
}
/** Promises and payments carry their money flat or as an object; both are read. */
export interface CardMoney {
  id?: string;
  amount?: Money | null;
  amount_minor?: number | null;
  currency?: string;
  state?: string;
  due_date?: string;
  paid_at?: string | number;
  made_at?: string | number;
  channel?: string;
}
export interface Step {
  key: string;
  title: string;
  text: string;
  before_identity: boolean;
}
/** What the debtor may object, and what is answered. */
export interface CardObjection {
  key: string;
  title: string;
  answer: string;
  before_identity: boolean;
  excuse: string | null;
}
export interface CardOffer {
  key: string;
  name_es: string;
  name_en: string;
  debt_id: string;
  currency: string;
  balance_minor: number;
  quita_minor: number;
  quita_pct: number;
  agreed_minor: number;
  freeze_interest: boolean;
  early_off_minor: number;
  early_until: string | null;
  parts: { due_date: string; amount_minor: number }[];
}
export type PlanState = 'draft' | 'offered' | 'approved' | 'signed' | 'active' | 'completed' | 'broken' | 'cancelled';
export interface CardPlan {
  id: string;
  debt_id: string;
  attempt: string | null;
  state: PlanState;
  currency: string;
  balance_minor?: number;
  quita_minor?: number;
  agreed_minor?: number;
  /** Until when an answer is waited for, epoch ms. */
  asked_until: number | null;
  answer_reason: string | null;
  answered: boolean;
  next_due?: string | null;
}
/** What the law asks of the conversation. */
export interface Duties {
  must_say: string[];
  /** The facts are still owed: the result of a conversation names them. */
  first_contact: boolean;
  /** Codes, with their leaves, that are saved without the facts. */
  without_facts: string[];
  forbidden_questions: string[];
  /** Codes whose leaves tell what may not be asked. */
  hidden_leaves: string[];
  notice_within_days: number | null;
  written_agreement: boolean;
  announce_recording: boolean;
  all_party_consent: boolean;
  third_party: string[];
}
export interface Card {
  attempt: string | null;
  item?: string;
  /** `codes`: those its agents choose from, level 2 with leaves or single leaves; null = all. */
  campaign: Named & { codes?: string[] | null };
  /** The debtor called us, or asked for an agent from a message. */
  direction?: 'inbound' | 'asked_for_agent';
  /** Masked number of a caller whom nobody knows yet. */
  unknown_caller?: string;
  gate: boolean;
  debtor: { id: string; name: string; document_masked: string; language: string; country: string; phones: Phone[] };
  debts: CardDebt[];
  promises: CardMoney[];
  payments: CardMoney[];
  /** What he last said he paid, while nobody has found it. */
  claim?: { paid_on: string; channel: string; state: 'open' | 'not_found' } | null;
  script: { id: string; name: string; steps: Step[]; objections?: CardObjection[] } | null;
  offers: CardOffer[];
  /** What the negotiation is after. */
  goal?: Money | null;
  plans?: CardPlan[];
  duties?: Duties;
  notices: { es: string; en: string }[];
  timeline: { at: number; kind: string; text_es: string; text_en: string }[];
}

export interface BoardAgent {
  id: string;
  name: string;
  team: string | null;
  campaign: string | null;
  state: AgentState;
  pause_code: string | null;
  since: number;
  debtor_masked: string | null;
  attempt: string | null;
  calls: number;
  rpc: number;
  promises: number;
  amount: Sum[];
  occupancy_pct: number;
  link_ms: number | null;
}
export type BoardRow = [agent: string, state: AgentState, since: number, calls: number, occupancy: number, promises: number, amount: number];

export interface CampaignRow {
  id: string;
  name: string;
  status: 'draft' | 'running' | 'paused' | 'stopped';
  mode: string;
  level_now: number;
  level_target: number;
  dialable: number;
  hopper: number;
  attempts_today: number;
  answers: number;
  abandoned: number;
  abandonment: Ratio & { cap_pct: number | null };
  short_calls: (Ratio & { cap_pct: number; day_min: number }) | null;
  abandonment_windows: { window: string; numerator: number; denominator: number; cap_pct: number; free: number; binds: boolean }[];
  answer_rate_5m: Ratio;
  wait_agent_ms: { p50: number | null; p99: number | null };
  wait_debtor_ms: { p50: number | null; p99: number | null };
  agents: Record<'logged_in' | 'ready' | 'reserved' | 'talking' | 'hold' | 'wrapup' | 'paused' | 'lagged', number>;
  small_team: boolean;
  calls: { ringing: number; waiting: number; in_message: number };
  window_closes_at: number | string | null;
  blocked: [reason: string, n: number][];
  promises: number;
  promised: Sum[];
  problem: { code: string; es: string; en: string } | null;
  inbound?: { waiting: number; longest_wait_ms: number; places_kept: number; offered: number; answered: number; in_time: number; gave_up: number; call_backs: number; opted_out: number; announced: number; wait_ms: number; service_level_s: number } | null;
}
export interface TrunkRow {
  id: string;
  name: string;
  up: boolean;
  channels: number;
  in_use: number;
  cps: number;
  asr: Ratio;
  ner: Ratio;
  acd_ms: number | null;
  pdd_ms: number | null;
}
export interface Alarm {
  id: string;
  kind: string;
  at: number;
  es: string;
  en: string;
}
/** An agent asks for more than he may give. */
export interface Ask {
  plan_id: string;
  agent_id: string | null;
  agent: string;
  currency: string;
  balance_minor: number;
  quita_minor: number;
  agreed_minor: number;
  parts: number;
  needs_role: string | null;
  reason: string;
  asked_at: number;
  until: number;
}
export interface Board {
  agents: BoardAgent[];
  campaigns: CampaignRow[];
  trunks: TrunkRow[];
  alarms: Alarm[];
  asks?: Ask[];
  totals: Record<string, unknown>;
}
export interface BoardDelta extends Partial<Omit<Board, 'totals'>> {
  rows?: BoardRow[];
  totals?: Record<string, unknown>;
}

export interface Message {
  t: string;
  topic?: string;
  seq?: number;
  now?: number;
  boot?: string;
  n?: number;
  data?: unknown;
  [field: string]: unknown;
}
