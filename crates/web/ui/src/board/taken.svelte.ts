// A call that a supervisor took over: his to give a result, while it lasts and for a while after.
import type { Disposing, Disposition } from '../agent/desk.svelte';
import type { Attempt, File } from '../campaigns/types';
import { api, said } from '../lib/api';
import { given } from '../lib/dispositions.svelte';
import { follow } from '../lib/moved';
import { post, type Sent } from '../lib/outbox.svelte';
import { toast } from '../lib/toast.svelte';
import type { Card, CardDebt, Duties } from '../lib/wire';

const AGAIN_MS = 3_000;

/** What the form asks of a card; a supervisor sees the debtor's file without a check of identity. */
export function cardOf(attempt: string, file: Pick<File, 'debtor' | 'debts'>, duties?: Duties): Card {
  const debts = file.debts
    .filter((d) => d.status === 'open')
    .map((d): CardDebt => {
      const money = (amount_minor: number) => ({ amount_minor, currency: d.currency });
      const balance = money(d.principal_minor + d.interest_minor + d.fees_minor);
      // The creditor's figure stands as it was asked, whatever was paid since.
      const owed = d.overdue_minor > 0 ? Math.min(d.overdue_minor, balance.amount_minor) : balance.amount_minor;
      return { id: d.id, external_ref: d.external_ref, product: d.product, creditor: null, bucket: '', days_past_due: 0, balance, overdue: money(d.overdue_minor), minimum: money(Math.max(0, Math.min(d.minimum_minor, owed))) };
    });
  const { id, name, language, country } = file.debtor;
  return {
    attempt,
    campaign: { id: '', name: '' },
    gate: false,
    debtor: { id, name, document_masked: '', language, country, phones: [] },
    debts,
    promises: [],
    payments: [],
    script: null,
    offers: [],
    ...(duties ? { duties } : {}),
    notices: [],
    timeline: [],
  };
}

export class Taken implements Disposing {
  dispositions = $state.raw<Disposition[]>([]);
  card = $state.raw<Card | null>(null);
  disposed = $state<string | null>(null);
  live = $state(true);
  /** He is at no desk. */
  readonly me = null;
  private closed = false;
  private debtor = '';
  private readonly end = follow(() => this.again());

  constructor(
    readonly attempt: string,
    private readonly user: string,
  ) {
    void this.load();
  }

  get open(): boolean {
    return this.disposed !== this.attempt;
  }

  close(): void {
    this.closed = true;
    this.end();
  }

  private async load(): Promise<void> {
    try {
      const [{ items }, row] = await Promise.all([api.get<{ items: Disposition[] }>('/dispositions'), api.get<Attempt>(`/attempts/${this.attempt}`)]);
      const file = await api.get<File>(`/debtors/${row.debtor_id}`);
      const duties = await api.get<Duties>(`/debtors/${row.debtor_id}/duties`);
      this.dispositions = given(items.filter((d) => d.agent_may_set), null, duties.hidden_leaves);
      this.card = cardOf(this.attempt, file, duties);
      this.debtor = row.debtor_id;
    } catch (error) {
      if (this.closed) return;
      toast('bad', said(error));
      setTimeout(() => void this.load(), AGAIN_MS);
    }
  }

  /** What he owes may be another by now. */
  private async again(): Promise<void> {
    if (!this.debtor) return;
    const card = cardOf(this.attempt, await api.get<File>(`/debtors/${this.debtor}`), this.card?.duties);
    if (JSON.stringify(card) !== JSON.stringify(this.card)) this.card = card;
  }

  async dispose(body: object): Promise<Sent> {
    const sent = await post(this.user, `/attempts/${this.attempt}/disposition`, body);
    if (sent.ok || sent.kept) this.disposed = this.attempt;
    return sent;
  }
}
