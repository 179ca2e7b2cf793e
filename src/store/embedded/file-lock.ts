/** A lock between processes: a file that holds its owner's process id. A dead owner's lock is taken over. */
import { link, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ExitStatus, SeedError } from '../../errors.js';
import { isAlive } from './processes.js';

/** Milliseconds between two attempts. */
const RETRY_MS = 50;

/** The owner of a lock file that names none. Never alive. */
const NOBODY = 0;

export interface LockOptions {
  /** Longest wait for another process, in milliseconds. */
  readonly timeoutMs: number;
  /** Told once, when another process holds the lock. */
  readonly onWait?: (pid: number) => void;
}

/**
 * Runs `work` while this process alone holds `file`; its folder is made when missing.
 * @throws SeedError when another living process holds it for longer than the time-out
 */
export async function withFileLock<T>(
  file: string,
  options: LockOptions,
  work: () => Promise<T>,
): Promise<T> {
  await acquire(file, options);
  try {
    return await work();
  } finally {
    await rm(file, { force: true });
  }
}

let attempts = 0;

async function acquire(file: string, options: LockOptions): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  const deadline = Date.now() + options.timeoutMs;
  let told = false;
  // Written beside and linked: the lock never exists without its owner's id in it.
  const mine = `${file}.${process.pid}.${attempts++}`;
  await writeFile(mine, String(process.pid));
  try {
    for (;;) {
      if (await linked(mine, file)) return;
      const owner = await ownerOf(file);
      if (owner === undefined) continue;
      if (!isAlive(owner)) {
        await takeAway(file, mine, owner);
        continue;
      }
      if (!told) options.onWait?.(owner);
      told = true;
      if (Date.now() > deadline) {
        throw new SeedError(
          ExitStatus.failure,
          `process ${owner} has held ${file} for more than ${Math.round(options.timeoutMs / 1000)} s`,
          'wait for it to finish, or delete that file if the process has nothing to do with this program',
        );
      }
      await sleep(RETRY_MS);
    }
  } finally {
    await rm(mine, { force: true });
  }
}

async function linked(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** The process in a lock file; undefined when the lock is gone, {@link NOBODY} when it holds nonsense. */
async function ownerOf(file: string): Promise<number | undefined> {
  try {
    const pid = Number(await readFile(file, 'utf8'));
    return Number.isInteger(pid) && pid > 0 ? pid : NOBODY;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Removes a dead owner's lock; one that a quicker process took meanwhile is put back. */
async function takeAway(file: string, mine: string, dead: number): Promise<void> {
  const aside = `${mine}.stale`;
  try {
    await rename(file, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  if ((await ownerOf(aside)) !== dead) await linked(aside, file);
  await rm(aside, { force: true });
}
