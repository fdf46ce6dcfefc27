// One tab owns the desk (Web Locks); a second one may take over, and the first then says so.
const LOCK = 'marcador.desk';

export class Owner {
  mine = $state<boolean | null>(null);
  private release: (() => void) | null = null;

  constructor() {
    void this.ask(false);
  }

  take(): void {
    void this.ask(true);
  }

  leave(): void {
    this.release?.();
    this.release = null;
  }

  private async ask(steal: boolean): Promise<void> {
    // Plain HTTP on a LAN has no Web Locks; there the server's own rule (one socket an agent) decides.
    if (!navigator.locks) {
      this.mine = true;
      return;
    }
    try {
      await navigator.locks.request(LOCK, steal ? { steal: true } : { ifAvailable: true }, (lock) => {
        this.mine = lock !== null;
        return lock ? new Promise<void>((done) => (this.release = done)) : undefined;
      });
    } catch {
      this.mine = false;
    }
  }
}
