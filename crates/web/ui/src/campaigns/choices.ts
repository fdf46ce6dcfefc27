// What a campaign chooses of codes and offers, and how a draft and what is in force differ.
import { Problem } from '../lib/api';
import { t, word, type Key } from '../lib/i18n.svelte';

/** Codes that stop contact, or say that a number is another's, are every agent's. */
export const alwaysGiven = (d: { code: string; hold: string | null }): boolean => d.hold !== null || d.code === 'CI.EQ';

/** The list with that entry or without it; what stands under it goes when it comes. */
export function switchedIn(list: readonly string[], entry: string, under: readonly string[] = []): string[] {
  if (list.includes(entry)) return list.filter((x) => x !== entry);
  return [...list.filter((x) => !under.includes(x)), entry];
}

export interface Difference {
  field: string;
  began: unknown;
  published: unknown;
  draft: unknown;
}
export interface Outdated {
  began_from: number | null;
  published: number;
  differs: Difference[];
}

/** What publishing a draft would take back, where that is why it was refused. */
export function outdated(error: unknown): Outdated | null {
  if (!(error instanceof Problem) || error.code !== 'draft_outdated') return null;
  const { began_from, published, differs } = error.more;
  if (typeof published !== 'number' || !Array.isArray(differs)) return null;
  return { began_from: typeof began_from === 'number' ? began_from : null, published, differs: differs as Difference[] };
}

/** A value of a setting in one line. */
export function shown(value: unknown): string {
  if (value === null || value === undefined || value === '') return '–';
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.length > 120 ? `${text.slice(0, 119)}…` : text;
}

/** Settings by the names that the form gives them. */
const NAMES: Readonly<Record<string, Key>> = {
  name: 'form.name', segment_id: 'camp.segment', script_id: 'camp.script', broken_script: 'camp.brokenScript', mode: 'col.mode',
  lines_per_agent: 'param.lines', lines_per_agent_max: 'param.linesMax', ring_timeout_s: 'param.ring', abandon_cap_pct: 'param.cap', abandon_target_pct: 'param.target',
  agent_within_ms: 'param.within', drop_action: 'param.drop', drop_block_h: 'param.dropBlock', next_agent: 'param.nextAgent', skills: 'param.skills', card_first: 'param.cardFirst',
  window_from: 'param.from', window_to: 'param.to', attempts_per_debtor: 'param.perDebtor', attempts_per_point: 'param.perPoint', attempts_per_day: 'param.perDay', allowed_prefixes: 'param.prefixes',
  wrapup_mode: 'param.wrapMode', wrapup_s: 'param.wrap', wrapup_max_s: 'param.wrapMax', record: 'param.record', promise_max_days: 'param.promiseDays', promise_min_pct: 'param.promisePct',
  disposition_required: 'param.needCode', identity_gate: 'param.gate', mask_dtmf: 'param.maskDtmf', amd: 'amd.mode', amd_fp_limit_pct: 'amd.limit', amd_action: 'amd.action',
  amd_connect_first: 'amd.connectFirst', zone_policy: 'choice.zones', caller_id_pick: 'choice.caller', offer_policy: 'choice.offers', disposition_set: 'choice.codes',
  priority: 'lines.priority', weight: 'lines.weight', cps_max: 'lines.cps', lines_max: 'lines.most', caller_id_pool: 'lines.callers', hopper_min: 'stock.least', hopper_factor: 'stock.factor',
  pacing_tick_ms: 'stock.tick', preview_max_s: 'stock.preview', preview_skip: 'stock.skip',
};
/** Settings whose values have words. */
const WORDS: Readonly<Record<string, string>> = {
  mode: 'mode', next_agent: 'nextAgent', wrapup_mode: 'wrap', record: 'record', drop_action: 'drop', amd: 'amdMode', amd_action: 'amdAction', zone_policy: 'zones', caller_id_pick: 'callerPick', order: 'orderKey', point_ladder: 'ladderKey',
};
const bare = (field: string): string => field.replace(/^params\./, '');

/** A setting as the form calls it. */
export function settingName(field: string): string {
  const key = NAMES[bare(field)];
  return key ? t(key) : bare(field);
}

/** Its value as the form shows it; `names` of segments and scripts by id. */
export function inWords(field: string, value: unknown, names: ReadonlyMap<string, string>): string {
  const list = WORDS[bare(field)];
  const one = (x: unknown): string => {
    if (typeof x === 'boolean') return t(x ? 'law.yes' : 'law.no');
    if (typeof x === 'string' && x) return list ? word(list, x) : (names.get(x) ?? x);
    return shown(x);
  };
  if (!Array.isArray(value)) return one(value);
  return value.length ? shown(value.map(one).join(', ')) : '–';
}
