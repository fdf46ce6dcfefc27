// Walks through the three faces of a running server as their users would, then looks at them with axe.
//   MARCADOR_URL=http://127.0.0.1:8080 AGENT_LOGIN=user:password SUPERVISOR_LOGIN=… MANAGER_LOGIN=… node walk.mjs [part…]
// Parts: board agent manage calls law floor messages plans reports a11y enrol (all of these by default; enrol has a server of its own: ENROL_URL, ENROL_LOGIN)
// and phone or monitor (ADMIN_LOGIN too), alone: a demo with --keep-heard and people who talk long, PHONE_HEARD=its folder `heard`; callers alone: a demo with --mode manual --callers 20; secured alone: services of its own (tests/src/bin/browser-walk/secured.rs). SHOTS=folder keeps pictures. Exit status: 0 passed, 1 failed.
import { a11y } from './a11y.mjs';
import { agent } from './agent.mjs';
import { board } from './board.mjs';
import { callers } from './callers.mjs';
import { calls } from './calls.mjs';
import { enrol } from './enrol.mjs';
import { floor } from './floor.mjs';
import { law } from './law.mjs';
import { manage } from './manage.mjs';
import { cash } from './money.mjs';
import { messages } from './messages.mjs';
import { monitor } from './monitor.mjs';
import { phone } from './phone.mjs';
import { plans } from './plans.mjs';
import { reports } from './reports.mjs';
import { count } from './rig.mjs';
import { secured } from './secured.mjs';

/** Parts with sound or with callers: each has a demo, or services, of its own. */
const SOUND = ['phone', 'monitor', 'callers', 'secured'];
const parts = { board, agent, manage, calls, law, floor, messages, cash, plans, reports, a11y, enrol, phone, monitor, callers, secured };
const wanted = process.argv.slice(2).length ? process.argv.slice(2) : Object.keys(parts).filter((name) => !SOUND.includes(name));
let failed = 0;
for (const name of wanted) {
  const part = parts[name];
  if (!part) throw new Error(`no part '${name}': ${Object.keys(parts).join(', ')}`);
  const since = Date.now();
  try {
    await part();
    console.log(`walk ${name}: passed in ${((Date.now() - since) / 1000).toFixed(1)} s`);
  } catch (error) {
    failed += 1;
    console.log(`walk ${name}: FAILED ${error.stack ?? error}`);
  }
}
console.log(`${count()} passed, ${failed} failed`);
process.exitCode = failed ? 1 : 0;
