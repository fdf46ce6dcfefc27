import type { Me, Message } from '../lib/wire';

/** A delta carries whole values of the fields that changed, beside or inside `data`. */
export function applied(me: Me, message: Message): Me {
  const { t: _t, topic: _p, seq: _s, now: _n, data, ...rest } = message;
  return { ...me, ...rest, ...(data as Partial<Me> | undefined) };
}
