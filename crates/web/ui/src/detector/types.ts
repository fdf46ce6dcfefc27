// What the detector's page reads.
export interface Share {
  numerator: number;
  denominator: number;
  low_pct: number;
  high_pct: number;
}
export interface Errors {
  judged: number;
  untold: number;
  humans_lost: Share;
  humans_unknown: Share;
  machines_missed: Share;
  machines_early: Share;
  ended: number;
  persons_ended: number;
}
export type OfCampaign = Errors & { campaign_id: string | null; loss_pct: number | null };
export type OfTrunk = Errors & { trunk_id: string };
export type OfDay = Errors & { day: string; from: string };
export interface DetectorReport {
  since: string;
  until: string;
  total: Errors;
  campaigns: OfCampaign[];
  trunks: OfTrunk[];
  days: OfDay[];
  /** Null where a trunk is asked for. */
  abandoned: Share | null;
}
export type Truth = 'person' | 'machine';
export interface Sample {
  attempt_id: string;
  at: string;
  campaign_id: string | null;
  trunk_id: string;
  class: string;
  confidence_pm: number;
  reason: string;
  decided_ms: number;
  acted: 'shadow' | 'agent' | 'checked' | 'hangup' | 'message';
  truth: Truth | null;
  result: string | null;
  disposition: string | null;
  recording_id: string | null;
}
export type Part = { kind: 'recorded'; name: string } | { kind: 'text'; text: string } | { kind: 'number' };
export interface Voicemail {
  id: string;
  client_id: string;
  name: string;
  language: 'es' | 'en' | 'pt';
  parts: Part[];
  person: string;
  approved_by: string | null;
  version: number;
}
export const CLASSES = ['human', 'machine', 'unknown', 'fax', 'sit', 'busy', 'dead_air'];
