// Money before it is on a debt, and money that debtors say they paid, as the API tells it.
import type { Claim } from '../campaigns/types';

export interface Payment {
  id: string;
  debtor_id: string;
  debt_id: string;
  amount_minor: number;
  currency: string;
  paid_at: string;
  channel: string;
  reference: string;
  reverses: string | null;
  posted_at: string;
}
export interface Receipt {
  id: string;
  source: string;
  reference: string;
  amount_minor: number;
  currency: string;
  left_minor: number;
  returned_minor: number;
  paid_at: string;
  channel: string;
  concept: string;
  document: string;
  debtor_id: string | null;
  file_id: string | null;
  state: string;
  note: string;
}
/** A claim of payment beside its people. */
export interface ClaimRow {
  claim: Claim;
  name: string;
  external_ref: string;
  agent: string | null;
}
export const CLAIM_STATES = ['open', 'found', 'not_found'] as const;
export const CLAIM_TONE: Record<string, string> = { open: 'pause', found: 'ready', not_found: 'danger' };
export interface Suggestion {
  debtor_id: string;
  debt_id: string | null;
  reasons: string[];
  name: string;
  external_ref: string;
  balance_minor: number;
}
export interface BankFile {
  id: string;
  name: string;
  format: string;
  state: 'reading' | 'half' | 'done';
  rows: number;
  posted: number;
  unmatched: number;
  repeated: number;
  refused: number;
  not_money: number;
  taken_back: number;
  created_at: string;
}
export interface PreviewRow {
  line: number;
  becomes: string;
  amount: { amount_minor: number; currency: string } | null;
  paid_at: string | null;
  reference: string | null;
  concept: string | null;
  debtor_id: string | null;
  column: string | null;
  reason: string | null;
}
export interface BankMap {
  columns: Record<string, string>;
  decimal: string | null;
  dates: string | null;
  delimiter: string | null;
  encoding: string | null;
  currency: string | null;
}
export interface Preview {
  format: string;
  repeated: boolean;
  header: string[];
  map: BankMap;
  counts: Record<string, number>;
  sums: Record<string, number>;
  rows: PreviewRow[];
}
export interface Policy {
  client_id: string;
  spread: string;
  parts: string;
  creditor_data: string;
  version: number;
}
export interface PaymentLink {
  id: string;
  debtor_id: string;
  debt_id: string;
  amount_minor: number;
  currency: string;
  state: string;
  tries: number;
  created_at: string;
  expires_at: string;
  opened_at: string | null;
  paid_at: string | null;
}
export const CHANNELS = ['transfer', 'cash', 'card', 'debit', 'link', 'other'] as const;
/** Wrong answers to the question of identity that close a link's page. */
export const LINK_TRIES_MAX = 5;
/** What a link is to those who look at it: its state, or `locked` when nobody may prove any more who he is. */
export const linkState = (row: PaymentLink): string => (row.tries >= LINK_TRIES_MAX && (row.state === 'created' || row.state === 'opened') ? 'locked' : row.state);
export const LINK_STATES = ['created', 'opened', 'locked', 'paid', 'expired', 'cancelled'] as const;
export const LINK_TONE: Record<string, string> = { locked: 'danger', created: 'pause', opened: 'call', paid: 'ready', expired: 'off', cancelled: 'off' };
/** Between two quiet looks at a list, ms: what is posted is seen within a second. */
export const AGAIN_MS = 800;
