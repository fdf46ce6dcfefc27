// Money that moved: the socket says of which client, and every place on the screen that shows it is read anew at once.

/** Between two readings of one place, ms: with the quarter of a second in which the server gathers what it tells, all is seen in
 * under a second, and a bank's file costs two readings a second. */
const SPACE_MS = 400;
/** A reading without a word, ms: the net for what no socket told, and for what moves without money. */
const NET_MS = 15_000;

type Heard = (client?: string) => void;
const places = new Set<Heard>();

/** Money of a client moved; of any client without one. */
export function moneyMoved(client?: string): void {
  for (const heard of places) heard(client);
}

/** Reads again whenever money of `client` (or of any, when empty) moved, and now and then; never twice at a time, and nothing that
 * nobody looks at. Gives what ends it. */
export function follow(read: () => Promise<unknown>, client = '', netMs = NET_MS): () => void {
  let [wanted, busy, over] = [false, false, false];
  const turn = async (): Promise<void> => {
    if (busy || over || !wanted || document.hidden) return;
    [busy, wanted] = [true, false];
    const since = performance.now();
    // What went wrong the reader shows.
    await read().catch(() => undefined);
    const took = performance.now() - since;
    // A slow server is asked less often.
    await new Promise((done) => setTimeout(done, Math.max(SPACE_MS - took, took)));
    busy = false;
    await turn();
  };
  const heard: Heard = (told) => {
    if (told && client && told !== client) return;
    wanted = true;
    void turn();
  };
  const shown = () => void turn();
  const net = setInterval(() => heard(), netMs);
  places.add(heard);
  document.addEventListener('visibilitychange', shown);
  return () => {
    over = true;
    clearInterval(net);
    places.delete(heard);
    document.removeEventListener('visibilitychange', shown);
  };
}
