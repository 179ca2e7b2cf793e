/** Makes sure that one loader at a time works on a database. */
import { setTimeout as sleep } from 'node:timers/promises';
import { ExitStatus, SeedError } from '../errors.js';
import { hasEnded } from './process-space.js';
import { HEARTBEAT_MS, type Holder, LEASE_MS, type RunStore } from './run-store.js';

/** A living loader gives several signs of life in this time. */
const WATCH_MS = 2.5 * HEARTBEAT_MS;

/**
 * Resolves when no living loader holds the database; a dead one's hold is lifted, and `notice` told.
 * @throws SeedError (target not ready) with the holder's host, pid and age.
 */
export async function refuseWhileHeld(store: RunStore, notice: (message: string) => void): Promise<void> {
  // Usually one at most; documents that no loader has written may be several.
  for (let holder = await store.currentHolder(); holder; holder = await store.currentHolder()) {
    const { runId, host, pid } = holder;
    if (await isAlive(store, holder, notice)) {
      throw new SeedError(
        ExitStatus.targetNotReady,
        `run ${runId} is in progress on ${host} (pid ${pid}, last heard of ${age(holder)})`,
        `wait for it, stop it, or use another --database; if it is dead its hold ends after ${LEASE_MS / 1000} s`,
      );
    }
    await store.lift(holder);
    notice(
      `run ${runId} of ${host} (pid ${pid}) died, last heard of ${age(holder)}: its hold on the database is lifted`,
    );
  }
}

async function isAlive(store: RunStore, holder: Holder, notice: (message: string) => void): Promise<boolean> {
  if (hasEnded(holder.pid, holder.processSpace)) return false;
  if (holder.ageMs >= 0) return holder.ageMs < LEASE_MS;
  // The server's clock was set back, so ages say nothing. Signs of life that go on do.
  notice(`the server's clock was set back: watching run ${holder.runId} for signs of life`);
  await sleep(WATCH_MS);
  const later = await store.currentHolder();
  return later?.runId === holder.runId && Number(later.heartbeat) !== Number(holder.heartbeat);
}

function age({ ageMs }: Holder): string {
  if (ageMs < 0) return 'in the future';
  return Number.isFinite(ageMs) ? `${Math.round(ageMs / 1000)} s ago` : 'never';
}
