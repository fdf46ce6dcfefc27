// What the screens of figures and goals read.
export interface Half {
  value: number;
  rows: string;
  sum: 'rows' | 'debtors' | 'amount' | 'weight';
}
export interface Figure {
  key: string;
  form: 'share' | 'times' | 'days' | 'per_unit' | 'per_hour' | 'seconds';
  numerator: Half;
  denominator: Half;
  value: number | null;
}
export interface Figures {
  from: string;
  to: string;
  zone: string;
  currency: string;
  attribution_days: number;
  items: Figure[];
  not_told: string[];
  costs: Costs;
}
export interface Costs {
  attempt_minor: number;
  minute_minor: number;
}
export interface Point {
  from: string;
  to: string;
  numerator: number;
  denominator: number;
  value: number | null;
}
export interface Series {
  key: string;
  form: string;
  step_days: number;
  items: Point[];
}
export interface Fact {
  noun: string;
  id: string;
  debtor_id: string | null;
  agent_id: string | null;
  external_ref: string;
  at: string;
  amount_minor: number;
  weight: number;
}
export interface Goal {
  id: string;
  client_id: string;
  portfolio_id: string | null;
  team_id: string | null;
  agent_id: string | null;
  kind: string;
  currency: string;
  target: number;
  from_day: string;
  to_day: string;
  ended_at: string | null;
}
export interface Standing {
  goal: Goal;
  done: number;
  gap: number;
  pct_bp: number;
  days: number;
  days_left: number;
  needed_daily: number;
  run_rate: number | null;
  today: number;
}
export interface Standings {
  items: Standing[];
  more: boolean;
}
