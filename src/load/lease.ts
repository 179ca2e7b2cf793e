/** Makes sure that one loader at a time works on a database, or on each part of a run that is shared. */
import { setTimeout as sleep } from 'node:timers/promises';
import { DatabaseHeld } from './database-held.js';
import { HEARTBEAT_MS, type Holder, LEASE_MS } from './holder.js';
import type { PartStore } from './part-store.js';
import { hasEnded } from './process-space.js';
import type { RunStore } from './run-store.js';

/** A living loader gives several signs of life in this time. */
const WATCH_MS = 2.5 * HEARTBEAT_MS;

type Notice = (message: string) => void;

/**
 * Resolves when no living loader holds the database; a dead one's hold is lifted, and `notice` told. With `parts`, a run that so many
 * loaders share may be held: another part is no obstacle.
 * @throws SeedError (target not ready) with the holder's host, pid and age.
 */
export async function refuseWhileHeld(store: RunStore, notice: Notice, parts?: number): Promise<void> {
  // Usually one at most; documents that no loader has written may be several.
  for (let holder = await store.currentHolder(); holder; holder = await store.currentHolder()) {
    if (holder.shared && holder.shared.count === parts) return;
    const living = await livingOf(holder, store, notice);
    if (living) throw inProgress(living);
    await store.lift(holder);
    notice(lifted(holder));
  }
}

/** What {@link refuseWhileHeld} would say, without lifting anything; undefined where nobody who lives holds the database. */
export async function heldByAnother(store: RunStore, notice: Notice): Promise<DatabaseHeld | undefined> {
  const holder = await store.currentHolder();
  const living = holder && (await livingOf(holder, store, notice));
  return living && inProgress(living);
}

/** Of a shared run, the first part that lives. */
async function livingOf(holder: Holder, store: RunStore, notice: Notice): Promise<Holder | undefined> {
  for (const one of holder.shared ? holder.shared.held : [holder]) {
    const again = async () => {
      const now = await store.currentHolder();
      return now?.shared ? now.shared.held.find(({ id }) => id === one.id) : now;
    };
    if (await isAlive(one, again, notice)) return one;
  }
  return undefined;
}

/** The same for one part of a run. */
export async function refuseWhilePartHeld(parts: PartStore, runId: string, notice: Notice): Promise<void> {
  const current = () => parts.currentHolder(runId);
  for (let holder = await current(); holder; holder = await current()) {
    if (await isAlive(holder, current, notice)) throw inProgress(holder);
    await parts.lift(holder);
    notice(lifted(holder));
  }
}

async function isAlive(
  holder: Holder,
  again: () => Promise<Holder | undefined>,
  notice: Notice,
): Promise<boolean> {
  if (hasEnded(holder.pid, holder.processSpace)) return false;
  if (holder.ageMs >= 0) return holder.ageMs < LEASE_MS;
  // The server's clock was set back, so ages say nothing. Signs of life that go on do.
  notice(`the server's clock was set back: watching ${nameOf(holder)} for signs of life`);
  await sleep(WATCH_MS);
  const later = await again();
  return later?.id === holder.id && Number(later.heartbeat) !== Number(holder.heartbeat);
}

function nameOf({ runId, part }: Holder): string {
  return part === undefined ? `run ${runId}` : `part ${part} of run ${runId}`;
}

function inProgress(holder: Holder): DatabaseHeld {
  return new DatabaseHeld(
    `${nameOf(holder)} is in progress on ${holder.host} (pid ${holder.pid}, last heard of ${age(holder)})`,
    `wait for it, stop it, or use another --database; if it is dead its hold ends after ${LEASE_MS / 1000} s`,
  );
}

function lifted(holder: Holder): string {
  const { host, pid } = holder;
  const what = holder.part === undefined ? 'the database' : 'the part';
  return `${nameOf(holder)} of ${host} (pid ${pid}) died, last heard of ${age(holder)}: its hold on ${what} is lifted`;
}

function age({ ageMs }: Holder): string {
  if (ageMs < 0) return 'in the future';
  return Number.isFinite(ageMs) ? `${Math.round(ageMs / 1000)} s ago` : 'never';
}
