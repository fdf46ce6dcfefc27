// A worker's timer is not slowed down in a hidden tab, the page's is.
const EVERY_MS = 2_000;
setInterval(() => postMessage(0), EVERY_MS);
