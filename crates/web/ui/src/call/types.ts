// A call's trail as the server keeps it.
export type Leg = 'debtor' | 'agent' | 'party';
export interface SipStep {
  at: string;
  leg: Leg;
  out: boolean;
  name: string;
  code: number | null;
  cseq: string;
  reason: string | null;
  sdp: boolean;
  repeat: boolean;
  bytes: number;
  /** Messages of its leg before it that were not kept. */
  left_before: number;
}
export interface LegQuality {
  leg: Leg;
  agent: string | null;
  from: string;
  until: string;
  received: number;
  sent: number;
  lost: number;
  jitter_us: number;
  jitter_max_us: number;
  rtt_us: number | null;
  far_lost_256: number | null;
  mos_x100: number | null;
}
export interface Transfer {
  id: string;
  kind: string;
  mode: string;
  to_number: string | null;
  conference: boolean;
  asked_at: string;
  answered_at: string | null;
  ended_at: string | null;
  outcome: string | null;
}
export interface Trail {
  attempt_id: string;
  delays: { pdd_ms: number | null; ring_ms: number | null; setup_ms: number | null; bridge_ms: number | null; talk_ms: number | null };
  ladder: SipStep[];
  left_out: number;
  legs: LegQuality[];
  transfers: Transfer[];
  kept: boolean;
}
