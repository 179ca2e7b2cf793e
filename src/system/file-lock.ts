/**
 * A lock between processes: a file that says which process holds it. A dead holder's lock is taken
 * over at once where its process can be looked up. One of another container or machine cannot: it
 * is taken over when it shows no sign of life.
 */

import { execFileSync } from 'node:child_process';
import { readFileSync, readlinkSync } from 'node:fs';
import {
  constants,
  copyFile,
  link,
  mkdir,
  readFile,
  rename,
  rm,
  stat,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ExitStatus, SeedError } from '../errors.js';

/** Milliseconds between two attempts. */
const RETRY_MS = 50;

/** Milliseconds between two signs of life: a holder touches its file. */
const TOUCH_MS = 2_000;

/** After this silence, in milliseconds, a holder that cannot be looked up is taken for dead. */
const SILENCE_MS = 5 * TOUCH_MS;

interface LockHolder extends ProcessIdentity {
  readonly host: string;
}

export interface LockOptions {
  /** Longest wait for another process, in milliseconds. */
  readonly timeoutMs: number;
  /** Told once, when another process holds the lock: `process 7`, `process 7 of host db1`. */
  readonly onWait?: (holder: string) => void;
  /** The failure when the time is over; by default it says how long who has held the file. */
  readonly refusal?: (holder: string) => SeedError;
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
  const touching = setInterval(() => {
    const now = new Date();
    // Whoever took it away meanwhile took this process for dead; nothing can be done about that
    // here.
    utimes(file, now, now).catch(() => undefined);
  }, TOUCH_MS).unref();
  try {
    return await work();
  } finally {
    clearInterval(touching);
    const content = await contentOf(file).catch(() => undefined);
    if (content === ownContent()) await rm(file, { force: true });
  }
}

/** What this process writes into its locks. */
function ownContent(): string {
  const holder: LockHolder = { ...ownIdentity(), host: hostname() };
  return `${JSON.stringify(holder)}\n`;
}

let attempts = 0;

async function acquire(file: string, options: LockOptions): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  const deadline = Date.now() + options.timeoutMs;
  const silence = new Silence(file);
  let told = false;
  // Written beside and linked: the lock never exists without its holder in it.
  const mine = `${file}.${process.pid}.${attempts++}`;
  await writeFile(mine, ownContent());
  try {
    for (;;) {
      if (await linked(mine, file)) return;
      const content = await contentOf(file);
      if (content === undefined) continue;
      const holder = parse(content);
      const life = await lifeOf(holder, content, silence);
      if (life === 'none') {
        await takeAway(file, mine, content);
        continue;
      }
      if (!told) options.onWait?.(nameOf(holder));
      told = true;
      if (life === 'shown' && Date.now() >= deadline) {
        throw (options.refusal ?? heldTooLong(file, options))(nameOf(holder));
      }
      await sleep(RETRY_MS);
    }
  } finally {
    await rm(mine, { force: true });
  }
}

function nameOf(holder: LockHolder | undefined): string {
  if (holder === undefined) return 'another process';
  const { pid, space, host } = holder;
  return space === PROCESS_SPACE ? `process ${pid}` : `process ${pid} of host ${host}`;
}

function heldTooLong(file: string, { timeoutMs }: LockOptions): (holder: string) => SeedError {
  return (holder) =>
    new SeedError(
      ExitStatus.failure,
      `${holder} has held ${file} for more than ${Math.round(timeoutMs / 1000)} s`,
      'wait for it to finish, or stop it',
    );
}

type Life = 'shown' | 'none' | 'open';

/**
 * Whether a holder lives; `open` while only time can tell. A file without text is about to get
 * some, or lost it in a crash.
 */
async function lifeOf(holder: LockHolder | undefined, content: string, silence: Silence): Promise<Life> {
  if (holder === undefined) return content === '' ? silence.judge() : 'none';
  if (holder.space !== PROCESS_SPACE) return silence.judge();
  return isRunning(holder) ? 'shown' : 'none';
}

/**
 * Watches the time stamp of a lock file: whose it is does not matter, nor whose clock it follows.
 */
class Silence {
  #stamp: number | undefined;
  #since = 0;
  #shown = false;

  constructor(readonly file: string) {}

  async judge(): Promise<Life> {
    const stamp = (await stat(this.file).catch(() => undefined))?.mtimeMs;
    if (stamp !== this.#stamp) {
      this.#shown = this.#stamp !== undefined;
      this.#stamp = stamp;
      this.#since = performance.now();
    }
    if (performance.now() - this.#since >= SILENCE_MS) return 'none';
    return this.#shown ? 'shown' : 'open';
  }
}

async function linked(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to).catch(async (error: NodeJS.ErrnoException) => {
      if (error.code === 'EEXIST') throw error;
      // A file system without links, as on a memory stick. There the lock is without its text for a
      // moment.
      await copyFile(from, to, constants.COPYFILE_EXCL);
    });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** What a lock file holds; undefined when the lock is gone. */
async function contentOf(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Undefined for what no process of this program has written. */
function parse(content: string): LockHolder | undefined {
  try {
    const holder: unknown = JSON.parse(content);
    return isIdentity(holder) ? { host: 'unknown', ...holder } : undefined;
  } catch {
    return undefined;
  }
}

/** Removes a dead holder's lock; one that a quicker process took meanwhile is put back. */
async function takeAway(file: string, mine: string, dead: string): Promise<void> {
  const aside = `${mine}.stale`;
  try {
    await rename(file, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  if ((await contentOf(aside)) !== dead) await linked(aside, file);
  await rm(aside, { force: true });
}

// Which process a number means. Numbers are used again, after a boot and in the next container, so
// one that was written down counts only together with the space it was valid in and the moment its
// process started.

/**
 * Changes with every boot and every container: within one value a pid names one process at a time.
 */
export const PROCESS_SPACE = processSpace();

function processSpace(): string {
  try {
    // Containers may share their host's name, and even its network.
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    return `${boot}/${readlinkSync('/proc/self/ns/pid')}`;
  } catch {
    return hostname();
  }
}

/** A process as it is written down. */
export interface ProcessIdentity {
  readonly pid: number;
  /** See {@link PROCESS_SPACE}. */
  readonly space: string;
  /** When it started, in the system's own words; empty where the system does not say. */
  readonly started: string;
}

/** The process that has this number here and now. */
export function identityOf(pid: number): ProcessIdentity {
  return { pid, space: PROCESS_SPACE, started: startOf(pid) };
}

let mine: ProcessIdentity | undefined;

/** This process. */
export function ownIdentity(): ProcessIdentity {
  mine ??= identityOf(process.pid);
  return mine;
}

/**
 * True where the process that was written down runs. One of another space, which cannot be looked
 * up, does not count.
 */
export function isRunning({ pid, space, started }: ProcessIdentity): boolean {
  if (space !== PROCESS_SPACE || !isAlive(pid)) return false;
  const now = startOf(pid);
  return now === started || now === '' || started === '';
}

function isIdentity(value: unknown): value is ProcessIdentity {
  if (typeof value !== 'object' || value === null) return false;
  const { pid, space, started } = value as Record<string, unknown>;
  return Number.isInteger(pid) && typeof space === 'string' && typeof started === 'string';
}

/** True when some process has this number, whoever owns it. */
export function isAlive(pid: number): boolean {
  if (pid <= 0) return false; // to kill(2), 0 and below name groups
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
  // One that has ended and that nobody waits for, as in a container whose first process collects no
  // children.
  return statFields(pid)?.[0] !== 'Z';
}

/**
 * Field 22 of `/proc/PID/stat` (ticks since the boot); elsewhere what `ps` says, the name beside
 * its whole seconds.
 */
function startOf(pid: number): string {
  if (process.platform === 'linux') return statFields(pid)?.[19] ?? '';
  if (process.platform === 'win32') return '';
  try {
    const env = { ...process.env, LC_ALL: 'C', TZ: 'UTC' };
    const ps = execFileSync('ps', ['-o', 'lstart=,comm=', '-p', String(pid)], { env, stdio: 'pipe' });
    return ps.toString('utf8').trim();
  } catch {
    return '';
  }
}

/**
 * The fields of `/proc/PID/stat` from the third on; the second, the name, may hold blanks and
 * brackets.
 */
function statFields(pid: number): readonly string[] | undefined {
  if (process.platform !== 'linux') return undefined;
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch {
    return undefined;
  }
}

// Tells whether a process number that another process has written down can be looked up here.

/** True where the process is of this very space and has ended. */
export function hasEnded(pid: number, space: string | undefined): boolean {
  return space === PROCESS_SPACE && !isAlive(pid);
}
