// The shapes these screens read, held against the types generated from the server's OpenAPI document: a field
// that the server renames or drops is a type error here. Nothing of this file reaches the browser.
import type { Attempt, Campaign, File, LoadLaw, Portfolio, Preview, Recording, Script, Segment, SegmentVersion, WhatIf, WhyNot } from '../campaigns/types';
import type { Field } from '../segments/expr';
import type { Disposition } from '../agent/desk.svelte';
import type { LegQuality, SipStep } from '../call/types';
import type { CallerId, CampaignWhy, Complaint, Consent, Decision, DncList, DryRun, LawOverride, Loaded, Pack, Preference, Replay, Suppression, WhyRow } from '../law/types';
import type { ClientLaw, ContractTerms, LawVersion, TermCap, TermWindow } from '../law/contract';
import type { components } from './openapi.gen';

/** The document marks what may be null as optional; the server always sends it. */
type Sent<T> = T extends readonly unknown[] ? { [K in keyof T]: Sent<T[K]> } : T extends object ? { [K in keyof T]-?: Sent<Exclude<T[K], undefined>> } : T;
type Server = { [K in keyof components['schemas']]: Sent<components['schemas'][K]> };
/** What the server sends must do where the screens want `Ours`. */
type Fits<Ours, Theirs extends Ours> = Theirs;

export type Shapes = [
  Fits<Campaign, Server['Campaign']>,
  Fits<Segment, Server['Segment']>,
  // Sums are pairs and the JSON form is a tree of its own, which the document can only call lists and values.
  Fits<Omit<Preview, 'count' | 'expr'>, Server['Preview']>,
  Fits<SegmentVersion, Server['SegmentVersion']>,
  Fits<Omit<Field, 'kind'>, Server['SegmentField']>,
  Fits<Script, Server['Script']>,
  Fits<Portfolio, Server['Portfolio']>,
  // Gaps are triples, which the document can only call lists.
  Fits<Omit<Recording, 'gaps'>, Server['Recording']>,
  Fits<Attempt, Server['Attempt']>,
  Fits<File, Server['DebtorFileReply']>,
  Fits<WhyNot, Server['WhyNotReply']>,
  Fits<WhatIf, Server['WhatIfReply']>,
  Fits<Disposition, Server['Disposition']>,
  Fits<SipStep, Server['SipStep']>,
  Fits<LegQuality, Server['LegQuality']>,
  Fits<Pack, Server['RulePackInfo']>,
  Fits<DryRun, Server['DryRunShape']>,
  Fits<CampaignWhy, Server['CampaignWhyShape']>,
  Fits<WhyRow, Server['WhyRowShape']>,
  Fits<Suppression, Server['Suppression']>,
  Fits<DncList, Server['DncList']>,
  Fits<Loaded, Server['LoadReply']>,
  Fits<Consent, Server['Consent']>,
  Fits<Preference, Server['Preference']>,
  Fits<LawOverride, Server['LawOverride']>,
  Fits<Complaint, Server['Complaint']>,
  Fits<CallerId, Server['CallerId']>,
  Fits<Decision, Server['Verdict']>,
  Fits<Replay, Server['ReplayReply']>,
  Fits<LoadLaw, Server['LoadLawShape']>,
  Fits<Omit<ClientLaw, 'terms'>, Server['ClientLaw']>,
  Fits<Omit<LawVersion, 'terms'>, Server['ClientLawVersion']>,
  Fits<Omit<ContractTerms, 'caps'>, Server['ContractTerms']>,
  Fits<TermWindow, Server['TermWindow']>,
  // The period is one of three forms, which the document can only call a value.
  Fits<Omit<TermCap, 'window'>, Server['TermCap']>,
];
