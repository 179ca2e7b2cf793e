/** The file in which a running embedded server is found by other processes of the same user. */
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { MongoClient } from 'mongodb';
import { isListening } from '../listening.js';
import { identityOf, isRunning, PROCESS_SPACE } from '../process-identity.js';

/** A running embedded server and the processes that use it. */
export interface ServerState {
  /** mongod's process id. */
  readonly pid: number;
  /** On 127.0.0.1. */
  readonly port: number;
  readonly version: string;
  /** The process that has to stop it. */
  readonly owner: number;
  /** The library's process that ends mongod when the owner dies without stopping it. */
  readonly guardian: number;
  /** Every process that uses it, the owner included; one that uses it twice is named twice. */
  readonly users: readonly number[];
  /** Where these numbers are valid: see {@link PROCESS_SPACE}. */
  readonly space: string;
  /** When each of these processes started, by its number: whoever has the number later is another one. */
  readonly started: Readonly<Record<string, string>>;
}

/** A state whose processes are those that have these numbers now. */
export function stateOf(state: Omit<ServerState, 'space' | 'started'>): ServerState {
  const pids = [state.pid, state.owner, state.guardian, ...state.users];
  const started = pids.map((pid) => [pid, identityOf(pid).started]);
  return { ...state, space: PROCESS_SPACE, started: Object.fromEntries(started) };
}

/** True where the process that the state means by this number still runs. */
export function lives({ space, started }: ServerState, pid: number): boolean {
  return pid in started && isRunning({ pid, space, started: started[pid] });
}

/** On loopback a healthy server answers in milliseconds; one that is busy with a load may take longer. */
const ANSWER_TIMEOUT_MS = 5_000;

/**
 * The state of a server that runs, answers and will go on. Undefined when there is none: a stale file counts as none,
 * and so does a server whose owner is dead, since its guardian is about to end it.
 */
export async function runningServer(stateFile: string): Promise<ServerState | undefined> {
  const state = await readState(stateFile);
  if (state === undefined || !lives(state, state.pid) || !lives(state, state.owner)) return undefined;
  return (await answers(state)) ? state : undefined;
}

/** The file's content; undefined when it is missing or nonsense. */
export async function readState(stateFile: string): Promise<ServerState | undefined> {
  try {
    const state: unknown = JSON.parse(await readFile(stateFile, 'utf8'));
    return isState(state) ? state : undefined;
  } catch {
    return undefined;
  }
}

/** Written beside and renamed: a reader sees the old state or the new one. Readable by its owner only. */
export async function writeState(stateFile: string, state: ServerState): Promise<void> {
  const beside = `${stateFile}.${process.pid}`;
  await writeFile(beside, `${JSON.stringify(state)}\n`, { mode: 0o600 });
  await rename(beside, stateFile);
}

/** Says that no server runs. */
export function removeState(stateFile: string): Promise<void> {
  return rm(stateFile, { force: true });
}

function isState(value: unknown): value is ServerState {
  if (typeof value !== 'object' || value === null) return false;
  const state = value as Record<string, unknown>;
  return (
    ['pid', 'port', 'owner', 'guardian'].every((name) => Number.isInteger(state[name])) &&
    typeof state.version === 'string' &&
    typeof state.space === 'string' &&
    isTextByName(state.started) &&
    Array.isArray(state.users) &&
    state.users.every(Number.isInteger)
  );
}

function isTextByName(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return Object.values(value).every((text) => typeof text === 'string');
}

/** Whether this very mongod answers: after a reboot its process id and its port may be another program's. */
export async function answers({ pid, port }: Pick<ServerState, 'pid' | 'port'>): Promise<boolean> {
  if (!(await isListening('127.0.0.1', port))) return false; // the driver would try for the whole time-out
  const client = new MongoClient(embeddedUri(port), {
    serverSelectionTimeoutMS: ANSWER_TIMEOUT_MS,
    connectTimeoutMS: ANSWER_TIMEOUT_MS,
    socketTimeoutMS: ANSWER_TIMEOUT_MS,
  });
  try {
    const status = await client.db('admin').command({ serverStatus: 1 });
    return Number(status.pid) === pid;
  } catch {
    return false;
  } finally {
    await client.close();
  }
}

/** Connection string of an embedded server, without a database. */
export function embeddedUri(port: number): string {
  return `mongodb://127.0.0.1:${port}/`;
}
