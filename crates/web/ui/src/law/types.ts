// What the screens of the law read of the API.
import type { Campaign, Said, Verdict } from '../campaigns/types';

export interface Pack {
  id: string;
  version: string;
  name: string;
  status: string;
  country: string;
  jurisdiction: string[];
  stacks_on: string | null;
  valid_from: string | null;
  valid_to: string | null;
  review_by: string;
  legal_signoff: string | null;
  signed: boolean;
  overdue: boolean;
  in_force: boolean;
  unjudged: string[];
  hash: string;
  registered_list: string | null;
}
export interface DryRun {
  pack: string;
  version: string;
  since: string;
  until: string;
  /** Acts of that time, and how many of them were judged again: every so many. */
  all: number;
  acts: number;
  every: number;
  concerned: number;
  blocked_before: number;
  newly_blocked: number;
  newly_agent_only: number;
  newly_allowed: number;
  rules: { rule: string; es: string; en: string; acts: number }[];
  days: { from: string; concerned: number; newly_blocked: number }[];
  channels: { channel: string; concerned: number; newly_blocked: number }[];
  examples: { row: string; attempt_id: string | null; debtor_id: string; channel: string; at: string; rule: string; es: string; en: string }[];
}
export interface DryJob {
  state: 'running' | 'done' | 'failed';
  done: number;
  all: number;
  result: DryRun | null;
}
export interface Reason {
  key: string;
  es: string;
  en: string;
  debtors: number;
  next_at: string | null;
  unexplained: boolean;
}
export interface CampaignWhy {
  campaign_id: string;
  status: Campaign['status'];
  at: string;
  debtors: number;
  unexplained: number;
  problems: Said[];
  reasons: Reason[];
}
export interface WhyRow {
  debtor_id: string;
  external_ref: string;
  next_at: string;
  attempts: number;
  last_result: string | null;
  note: string;
  es: string | null;
  en: string | null;
}
export type Listed = 'phone' | 'document' | 'person' | 'email';
export interface Suppression {
  id: string;
  client_id: string | null;
  debtor_id: string | null;
  kind: Listed;
  value: string;
  reason: string;
  created_at: string;
  lifted_at: string | null;
}
export interface DncList {
  id: string;
  client_id: string | null;
  name: string;
  kind: Listed;
  entries: number;
  file_sha256: string;
  as_of: string;
  created_at: string;
  retired_at: string | null;
}
export interface Loaded {
  list: DncList;
  refused: number;
  faults: { line: number; reason: string }[];
  debtors: number;
  withdrawn: number;
}
export interface Consent {
  id: string;
  debtor_id: string;
  channel: string;
  purpose: string;
  granted_at: string;
  until: string | null;
  revoked_at: string | null;
  proof: string;
  revoke_proof: string | null;
}
export interface LawOverride {
  id: string;
  debtor_id: string;
  rule: string;
  reason: string;
  granted_by: string;
  granted_at: string;
  until: string;
  withdrawn_at: string | null;
}
export interface Preference {
  id: string;
  debtor_id: string;
  kind: string;
  channel: string | null;
  point_id: string | null;
  days: string[];
  from: string | null;
  to: string | null;
  recorded_at: string;
  until: string | null;
  revoked_at: string | null;
  proof: string;
}
export interface Complaint {
  id: string;
  client_id: string;
  debtor_id: string;
  authority: string;
  number: string;
  received_at: string;
  deadline: string;
  state: 'open' | 'answered' | 'closed';
  summary: string;
  answer: string | null;
  answered_at: string | null;
}
export interface CallerId {
  id: string;
  client_id: string;
  number: string;
  country: string;
  registered: boolean;
  enabled: boolean;
  signed: boolean;
  /** When somebody last called it and came to us. */
  callback_at: string | null;
}
export interface Decision extends Verdict {
  campaign_id: string | null;
  check_point: string;
}
export interface Replay {
  same: boolean;
  differences: string[];
}
