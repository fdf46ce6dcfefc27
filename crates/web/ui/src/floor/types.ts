// What the floor's screens read.
export interface Callback {
  campaign_id: string;
  campaign: string;
  debtor_id: string;
  external_ref: string;
  name: string;
  phone_masked: string | null;
  at: string;
  /** Wall time in the debtor's zone. */
  local: string;
  zone: string;
  agent_id: string | null;
  agent: string | null;
  late: boolean;
}
export interface CallerState {
  caller_id: string;
  client_id: string;
  number: string;
  country: string;
  enabled: boolean;
  calls: number;
  answered: number;
  rests_until: string | null;
  rest_reason: string | null;
}
export interface MorningDebtor {
  debtor_id: string;
  external_ref: string;
  name: string;
  overdue_minor: number;
  currency: string;
  days: number;
  attention: boolean;
  agent_id: string | null;
  team_id: string | null;
  attempts: number;
  messages: number;
  letters: number;
  last_at: string | null;
  last_channel: string | null;
  last_outcome: string | null;
}
/** A debt past the limit of its stage, of which the caller is told. */
export interface LateCase {
  debt_id: string;
  debtor_id: string;
  stage: string;
  deadline: string | null;
  statute_told: string | null;
}
/** A point that nobody confirmed for so long is stale, days: `domain::rules::stale`. */
export const POINT_STALE_DAYS = 180;
/** How many files with an open debt somebody has to look at. */
export interface TaskCount {
  no_phone: number;
  stale_point: number;
}
export interface FileTask {
  debtor_id: string;
  portfolio_id: string;
  external_ref: string;
  name: string;
  kind: 'no_phone' | 'stale_point';
  days: number | null;
  balance_minor: number;
  currency: string;
  agent_id: string | null;
  team_id: string | null;
}
export interface FileTasksPage {
  items: FileTask[];
  next_cursor: string | null;
  /** On the first page alone. */
  count: TaskCount | null;
}
export interface Review {
  today: string;
  holiday: string | null;
  holidays: { country: string; name: string; name_es: string; debtors: number }[];
  last_working_day: string;
  complaints_due: { id: string; debtor_id: string; authority: string; number: string; deadline: string }[];
  late_cases: number;
  my_late_cases: LateCase[];
  file_tasks: TaskCount;
  broken: number;
  broken_minor: number;
  currency: string;
  done: { attempts: number; contacts: number; right_party: number; promises: number; messages: number; letters: number; payments: number; paid_minor: number };
}
export interface BrokenPromise {
  promise_id: string;
  debtor_id: string;
  external_ref: string;
  name: string;
  amount_minor: number;
  currency: string;
  due_date: string;
  broken_at: string | null;
  agent_id: string | null;
  attempts_since: number;
  messages_since: number;
  letters_since: number;
}
export interface Morning {
  items: MorningDebtor[];
  next_cursor: string | null;
  threshold_minor: number;
  today: string;
  my_late_cases: LateCase[];
}
export interface Rule {
  id: string;
  client_id: string;
  name: string;
  position: number;
  segment_id: string;
  target: 'queue' | 'team' | 'agent';
  campaign_id: string | null;
  team_id: string | null;
  agents: string[];
  most: number | null;
  skills: string[];
  by_language: boolean;
  enabled: boolean;
}
export interface AssignReport {
  assigned: number;
  changed: number;
  no_place: number;
  without_skill: number;
  unskilled: { rule: string; skills: string[]; language: string | null; debtors: number }[];
  ended: number;
  rules: [string, number][];
}
export interface Named {
  id: string;
  name: string;
}
export interface Agent extends Named {
  team_id: string | null;
}

/** Call-backs by the local day of their debtors, in their order. */
export function byDay(rows: readonly Callback[]): { day: string; rows: Callback[] }[] {
  const days: { day: string; rows: Callback[] }[] = [];
  for (const row of rows) {
    const day = row.local.slice(0, 10);
    const last = days.find((d) => d.day === day);
    if (last) last.rows.push(row);
    else days.push({ day, rows: [row] });
  }
  return days.sort((a, b) => (a.day < b.day ? -1 : 1));
}
