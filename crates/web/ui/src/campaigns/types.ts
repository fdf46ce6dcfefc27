// Entities of the API as these screens read them.
import type { Money, Sum } from '../lib/format';
import type { Phone } from '../lib/wire';
import type { LetterLine } from '../plans/types';
import type { Expr } from '../segments/expr';

export interface Client {
  id: string;
  name: string;
}
export interface Portfolio {
  id: string;
  client_id: string;
  name: string;
  currency: string;
  zone: string;
}
export interface Segment {
  id: string;
  client_id: string;
  name: string;
  expression: string;
  version: number;
  updated_at: string;
}
export interface Script {
  id: string;
  name: string;
}
export interface ScriptStep {
  key: string;
  title_es: string;
  title_en: string;
  text_es: string;
  text_en: string;
  before_identity: boolean;
}
export interface Objection {
  key: string;
  title_es: string;
  title_en: string;
  answer_es: string;
  answer_en: string;
  before_identity: boolean;
  stages: string[];
  buckets: string[];
  excuse: string | null;
}
export interface ScriptFile extends Script {
  client_id: string;
  steps: ScriptStep[];
  objections: Objection[];
  version: number;
  updated_at: string;
}
export const EXCUSES = ['unemployed', 'paid_late', 'illness', 'forgot', 'no_access', 'says_paid', 'disagrees', 'other'] as const;
export interface RetryRule {
  result: string;
  delay_min: number;
  factor: number;
  max_per_day: number;
  max_total: number;
  day_part: string;
  then: string;
}
export interface CampaignTemplate {
  id: string;
  client_id: string | null;
  name: string;
  note: string;
  params: Params;
}
export interface Schedule {
  hours: { days: string[]; from: string; to: string }[];
  from: string | null;
  until: string | null;
  days_off: string[];
}
export type Params = Record<string, unknown> & {
  mode: string;
  lines_per_agent: number;
  lines_per_agent_max: number | null;
  agent_balance: number;
  intensity_pct: number;
  agent_count_basis: string;
  small_team_agents: number;
  ring_timeout_s: number;
  agent_within_ms: number;
  window_from: string;
  window_to: string;
  schedule: Schedule;
  zone_policy: string;
  caller_id_pool: string[];
  caller_id_pick: string;
  offer_policy: string[] | null;
  disposition_set: string[];
  wrapup_mode: string;
  wrapup_s: number;
  wrapup_max_s: number;
  record: string;
  mask_dtmf: boolean;
  amd: string;
  amd_fp_limit_pct: number;
  amd_action: string;
  amd_connect_first: boolean;
  voicemail_template: string | null;
  allowed_prefixes: string[];
  list_mix: { segment_id: string; weight: number }[];
  order: string[];
  point_ladder: string[];
  retry_rules: RetryRule[];
  caller_rest_calls: number | null;
  caller_rest_below_pct: number | null;
  caller_window_min: number;
  caller_rest_min: number;
  callback_scope: string;
  callback_window_min: number;
  refill: string;
  refill_at: string;
  always_on: boolean;
  skills: string[];
  card_first: boolean;
  next_agent: string;
  attempts_per_debtor: number;
  attempts_per_point: number;
  attempts_per_day: number | null;
  abandon_cap_pct: number | null;
  abandon_target_pct: number | null;
  priority: number;
  weight: number;
  cps_max: number | null;
  lines_max: number | null;
  trunks: string[];
  hopper_min: number | null;
  hopper_factor: number;
  pacing_tick_ms: number;
  preview_max_s: number;
  preview_skip: boolean;
  disposition_required: boolean;
  identity_gate: boolean;
  inbound: { blended: boolean; queue_max: number; wait_max_s: number; announce_every_s: number; callback: boolean; keep_place_min: number; service_level_s: number; unknown: boolean };
  agentless: { message: string; approved_by: string | null; approved_at: string | null; approved_sounds: Record<string, string>; agent_key: string };
  promise_max_days: number;
  promise_min_pct: number;
  drop_action: string;
  drop_block_h: number | null;
};
export interface Campaign {
  id: string;
  client_id: string;
  name: string;
  segment_id: string;
  script_id: string | null;
  status: 'draft' | 'running' | 'paused' | 'stopped';
  params: Params;
  version: number;
}
export interface CampaignVersion {
  id: string;
  state: 'draft' | 'published' | 'dropped';
  version: number | null;
  based_on: number | null;
  restores: number | null;
  note: string;
  created_at: string;
  published_at: string | null;
}
export interface Said {
  code: string;
  es: string;
  en: string;
}
/** What a campaign's refill did. */
export interface Refill {
  matched: number;
  added: number;
  returned: number;
  left: number;
}
/** A forecast value with its interval of 95 %. */
export interface Spanned {
  value: number;
  low: number;
  high: number;
}
export interface Expected {
  talk_minutes_per_hour: Spanned;
  occupancy: Spanned;
  abandonment: Spanned;
  drops_per_hour: Spanned;
  handled_per_hour: Spanned;
  agent_wait_s: Spanned;
  debtor_wait_p50_s: Spanned;
  debtor_wait_p99_s: Spanned;
  contacts_per_hour: Spanned;
  contacts_per_day: Spanned;
  ration_per_day: number;
  ration_spent_after_h: number | null;
  blocked_share: number | null;
  blocked_per_hour: number | null;
}
export interface WhatIfSide {
  settings: { mode: string; agents: number; agent_balance: number; intensity_pct: number; ring_timeout_s: number; window_from: string; window_to: string; hours: number; days_per_week: number };
  expected: Expected | null;
}
export interface WhatIf {
  history: { days: number; attempts: number; answers: number; zone: string; enough: boolean };
  present: WhatIfSide;
  asked: WhatIfSide;
  notes: Said[];
}
export interface SegmentVersion {
  version: number;
  name: string;
  expression: string;
  explained: { es: string; en: string };
  /** What the version before did not say, in words. */
  changes: { what: string; before: { es: string; en: string } | null; after: { es: string; en: string } | null }[];
  saved_at: string;
}
export interface Preview {
  count: {
    debtors: number;
    phones: number;
    balance: Sum[];
    /** What the balance may bring within `recovery_days`; null where nothing is known of any of the debts. */
    expected: { currency: string; amount_minor: number | null; unknown_minor: number; borrowed_minor: number }[];
    recovery_days: number;
  };
  /** Whether every debtor was asked; otherwise an estimate, right within `margin` in 95 of 100 cases. */
  exact: boolean;
  asked: number;
  of: number;
  margin: number;
  /** Debtors about whom the law has not been asked yet, where the filter asks who is callable now. */
  pending: number;
  explained: { es: string; en: string };
  sample: { debtor_id: string; external_ref: string; country: string; days_past_due: number; balance_minor: number; currency: string }[];
  expression: string;
  /** Its JSON form. */
  expr: Expr;
}
export interface DebtorLine {
  id: string;
  client_id: string;
  portfolio_id: string;
  external_ref: string;
  name: string;
  document_masked: string;
  country: string;
  language: string;
  phones: Phone[];
}
export interface Attempt {
  id: string;
  campaign_id: string | null;
  debtor_id: string;
  phone: string;
  mode: string;
  state: string;
  opened_at: string;
  answered_at: string | null;
  bridged_at: string | null;
  ended_at: string | null;
  result: string | null;
  sip_code: number | null;
  q850: number | null;
  disposition: string | null;
  agent_id: string | null;
  recording_id: string | null;
  verdict_id: string;
}
export interface Recording {
  id: string;
  attempt_id: string;
  outcome: 'open' | 'sealed' | 'repaired' | 'failed';
  sha256: string | null;
  duration_ms: number;
  bytes: number;
  gaps: [number, number, string][];
  started_at: string;
  keep?: {
    place: 'local' | 'store' | 'deleting' | 'deleted';
    class: 'call' | 'agreement' | 'dispute' | null;
    delete_after: string | null;
    held_at: string | null;
    held_by: string | null;
    hold_reason: string | null;
    deleted_at: string | null;
  } | null;
}
export interface Verdict {
  id: string;
  at: string;
  point_id: string | null;
  decision: 'allow' | 'allow_agent_only' | 'defer' | 'deny';
  until?: string | null;
  blocked: string | null;
  rules: { rule: string; es: string; en: string; refused: boolean }[];
  packs: { id: string; version: string; unjudged: string[] }[];
  zones: { zone: string; evidence: string; local: string }[];
  counters: { rule: string; value: number; limit: number }[];
  next_legal_at: string | null;
}
export interface WhyNot {
  verdicts: Verdict[];
  items: { campaign_id: string; next_at: string; priority: number; attempts: number; last_result: string | null; done: boolean; note?: string | null }[];
  reasons_es: string[];
  reasons_en: string[];
  next_legal_at: string | null;
}
export interface Debt {
  id: string;
  external_ref: string;
  product: string;
  currency: string;
  principal_minor: number;
  interest_minor: number;
  fees_minor: number;
  overdue_minor: number;
  minimum_minor: number;
  due_date: string;
  statute_date?: string | null;
  status: string;
}
export interface Address {
  id: string;
  street: string;
  city: string;
  region: string;
  postcode: string;
  country: string;
  zone: string | null;
  source: string;
  bad: boolean;
  added_at: string;
  confirmed_at: string;
}
/** A visit in person: planned, made or cancelled. */
export interface Visit {
  id: string;
  address_id: string;
  planned_at: string;
  state: string;
  visited_at: string | null;
  outcome: string | null;
  result: string | null;
  note: string;
  reason: string;
}
/** A payment that the debtor says he made. */
export interface Claim {
  id: string;
  debtor_id: string;
  paid_on: string;
  channel: string;
  proof: boolean;
  made_at: string;
  state: 'open' | 'found' | 'not_found';
  reason: string;
}
/** A due item of a debt, with what of it is unpaid. */
export interface DueItem {
  debt_id: string;
  reference: string;
  due_date: string;
  amount_minor: number;
  open_minor: number;
}
export interface File {
  debtor: { id: string; name: string; document: string; external_ref: string; kind: string; country: string; subdivision: string | null; language: string; address_zone: string | null };
  debts: Debt[];
  items: DueItem[];
  accrued: { debt_id: string; since_minor: number; total_minor: number; to: string }[];
  addresses: Address[];
  parties: { id: string; role: string; name: string }[];
  points: { id: string; channel: string; value: string; class: string; role: string; authorised: boolean; confidence: number; bad: boolean; added_at: string; last_rpc_at: string | null }[];
  consents: { id: string; channel: string; purpose: string; granted_at: string; revoked_at: string | null }[];
  holds: { id: string; kind: string; scope: string; from: string; until: string | null; lifted_at: string | null; evidence: string }[];
  promises: ({ id: string; due_date: string; state: string; channel: string; made_at: string } & Money)[];
  payments: ({ id: string; paid_at: string; channel: string; reference: string } & Money)[];
  claims: Claim[];
  attempts: Attempt[];
  ageing: { debt_id: string; bucket: string; label: string | null; days: number | null }[];
  tasks: { kind: string; point_id: string | null; days: number | null }[];
  plans: { plan: { id: string; currency: string; agreed_minor: number; state: string; document_sha256: string | null; made_at: string } }[];
  stages: { debt_id: string; stage: string; entered_at: string }[];
  messages: { id: string; channel: string; state: string; body: string; due_at: string; sent_at: string | null }[];
  received: { id: string; channel: string; text: string; received_at: string }[];
  letters: LetterLine[];
  visits: Visit[];
  excuses: { id: string; kind: string; at: string }[];
}

/** What the law says of the debtors of a file, counted by the rule that refused first. */
export interface LoadLaw {
  at: string;
  lines: number;
  debtors: number;
  /** Of them not on file yet. */
  new: number;
  sample: boolean;
  allow: number;
  agent_only: number;
  later: number;
  deny: number;
  reasons: { blocked: string; rule: string; es: string; en: string; debtors: number; next_at: string | null }[];
}
