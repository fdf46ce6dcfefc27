// Who is signed in. The token lives in memory only; the refresh cookie brings it back after a reload.
import { api, hasToken, onExpired, Problem, setToken } from './api';
import { sawServer, setDemo } from './clock.svelte';

export type Role = 'agent' | 'supervisor' | 'manager' | 'admin' | 'client';
interface Session {
  token: string;
  expires_at: string;
  role: Role;
  second_factor?: 'ok' | 'enrol';
  user: { id: string; display_name: string; role: Role };
  agent?: { id: string; name: string } | null;
}
export interface TotpOffer {
  secret: string;
  otpauth_url: string;
}
interface Me {
  user: { id: string; display_name: string; role: Role };
  agent?: { id: string; name: string } | null;
  permissions?: string[];
  clock?: { now: string; offset_ms: number; demo: boolean; speed?: number };
}

/** Says only that a cookie may exist, so that a first visit asks nothing. */
const HINT = 'marcador.signed';
/** Well inside the token's 15 minutes, ms. */
const RENEW_MS = 6 * 60_000;

type Phase = 'starting' | 'out' | 'enrol' | 'in';
const state = $state<{ phase: Phase; me: Me | null; enrolled: boolean }>({ phase: 'starting', me: null, enrolled: false });
let timer: ReturnType<typeof setInterval> | undefined;

export const session = {
  get phase(): Phase {
    return state.phase;
  },
  /** A second factor was set just now: sign in again with it. */
  get enrolled(): boolean {
    return state.enrolled;
  },
  get me(): Me | null {
    return state.me;
  },
  get role(): Role | null {
    return state.me?.user.role ?? null;
  },
  get name(): string {
    return state.me?.user.display_name ?? '';
  },
  may(permission: string): boolean {
    const held = state.me?.permissions;
    return !held || held.length === 0 || held.includes(permission) || held.includes('*');
  },
};

async function enter(got: Session): Promise<void> {
  setToken(got.token);
  localStorage.setItem(HINT, '1');
  const me = await api.get<Me>('/me').catch(() => ({ user: got.user, agent: got.agent }) as Me);
  if (me.clock) {
    sawServer(Date.parse(me.clock.now), true);
    setDemo(me.clock.demo, me.clock.speed);
  }
  state.me = me;
  state.enrolled = false;
  state.phase = 'in';
  clearInterval(timer);
  timer = setInterval(() => void renew(), RENEW_MS);
}

export async function signIn(username: string, password: string, otp?: string): Promise<void> {
  const body = otp ? { username, password, otp } : { username, password };
  const got = await api.post<Session>('/sessions', body, { open: true });
  if (got.second_factor === 'enrol') {
    // This token permits enrolment only, and no cookie brings it back.
    setToken(got.token);
    state.enrolled = false;
    state.phase = 'enrol';
    return;
  }
  await enter(got);
}

export const offerSecondFactor = (): Promise<TotpOffer> => api.post<TotpOffer>('/me/totp');

export async function confirmSecondFactor(secret: string, otp: string): Promise<void> {
  await api.post('/me/totp/confirm', { secret, otp });
  leave();
  state.enrolled = true;
}

/** A refresh cookie works once: tabs take turns. */
function turn<T>(work: () => Promise<T>): Promise<T> {
  return navigator.locks ? navigator.locks.request('marcador.refresh', work) as Promise<T> : work();
}

let renewing: Promise<boolean> | null = null;
function renew(): Promise<boolean> {
  renewing ??= turn(async () => {
    try {
      const got = await api.post<Session>('/sessions/refresh', undefined, { open: true });
      setToken(got.token);
      if (state.phase !== 'in') await enter(got);
      return true;
    } catch (error) {
      if (error instanceof Problem && !error.offline && error.status < 500) leave();
      return false;
    }
  }).finally(() => (renewing = null));
  return renewing;
}

function leave(): void {
  clearInterval(timer);
  setToken(null);
  localStorage.removeItem(HINT);
  state.me = null;
  state.phase = 'out';
}

export async function signOut(): Promise<void> {
  if (hasToken()) await api.delete('/sessions').catch(() => undefined);
  leave();
}

export async function startSession(): Promise<void> {
  onExpired(renew);
  if (localStorage.getItem(HINT) && (await renew())) return;
  if (state.phase === 'starting') state.phase = 'out';
}
