/**
 * The embedded server: started when nobody has, shared when somebody has, stopped by the last one
 * to leave.
 */
import { fork } from 'node:child_process';
import { access, constants, mkdir, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { MongoInstance } from 'mongodb-memory-server-core';
import { ExitStatus, SeedError } from '../errors.js';
import { withFileLock } from '../system/file-lock.js';
import { type ObtainedBinary, obtainBinary } from './binary.js';
import {
  endMongod,
  explainStart,
  freePort,
  isAlive,
  isPortFree,
  launch,
  STOP_TIMEOUT_MS,
  StartFailure,
  signal,
  waitForExit,
} from './mongod.js';
import {
  answers,
  type EmbeddedLocations,
  embeddedLocations,
  embeddedUri,
  lives,
  readState,
  removeState,
  runningServer,
  type ServerState,
  stateOf,
  writeState,
} from './state.js';

/** How an embedded server is started. */
export interface EmbeddedServerOptions {
  /** Told what is fetched and started, for the user to read. */
  readonly notice: (message: string) => void;
  /** Default: any free one. */
  readonly port?: number;
}

/** A mongod of the program's own, on loopback, with a data directory that stays. */
export interface EmbeddedServer {
  readonly uri: string;
  readonly port: number;
  /** mongod's. */
  readonly pid: number;
  readonly version: string;
  readonly dataDirectory: string;
  /** False when another process had started it already. */
  readonly startedHere: boolean;
  /**
   * Ends this use of the server, and the server itself when no other process uses it; waits until
   * it is down.
   */
  stop(): Promise<void>;
}

/**
 * Longest wait for another process that is starting or stopping the server: each is bounded itself.
 */
const LOCK_TIMEOUT_MS = 180_000;

/** Another program may take the free port before mongod does. */
const PORT_ATTEMPTS = 3;

/** What this process launched, by mongod's process id. */
const launched = new Map<number, MongoInstance>();

/**
 * Starts the embedded server, or joins the one that another process runs on the same data
 * directory.
 * @throws SeedError when no binary can be had, the asked port is taken, or mongod does not start
 */
export async function startEmbeddedServer(options: EmbeddedServerOptions): Promise<EmbeddedServer> {
  const locations = embeddedLocations();
  await makeFolders(locations);
  if (locations.temporary) {
    options.notice(
      `no home folder can be written: data go to ${locations.home} (SEED_DATABASE_HOME names another)`,
    );
  }
  // Outside the lock: a first download takes long, and a server that runs needs no binary.
  const known = await runningServer(locations.stateFile);
  const binary = known === undefined ? await obtainBinary(options.notice) : undefined;
  return withFileLock(locations.lockFile, lockOptions(options.notice), async () => {
    const running = await runningServer(locations.stateFile);
    if (running !== undefined) return join(running, locations, options);
    return begin(binary ?? (await obtainBinary(options.notice)), locations, options);
  });
}

function lockOptions(notice: (message: string) => void) {
  return {
    timeoutMs: LOCK_TIMEOUT_MS,
    onWait: (holder: string) =>
      notice(`waiting for ${holder}, which is starting or stopping the embedded server`),
  };
}

async function makeFolders({ home, dataDirectory }: EmbeddedLocations): Promise<void> {
  try {
    await mkdir(home, { recursive: true, mode: 0o700 });
    await mkdir(dataDirectory, { recursive: true, mode: 0o700 });
    for (const folder of [home, dataDirectory]) await access(folder, constants.W_OK | constants.X_OK);
  } catch (error) {
    throw new SeedError(
      ExitStatus.failure,
      `the embedded server's folder ${home} cannot be written: ${(error as Error).message}`,
      'set SEED_DATABASE_HOME to a folder that can be written, or set MONGODB_URI',
    );
  }
}

async function join(
  running: ServerState,
  locations: EmbeddedLocations,
  { port, notice }: EmbeddedServerOptions,
): Promise<EmbeddedServer> {
  if (port !== undefined && port !== running.port) {
    throw new SeedError(
      ExitStatus.failure,
      `the embedded server already runs on port ${running.port}, started by process ${running.owner}`,
      `use ${embeddedUri(running.port)}, or stop that process first`,
    );
  }
  const users = running.users.filter((user) => lives(running, user));
  const state = stateOf({ ...running, guardian: guardianOf(running), users: [...users, process.pid] });
  await writeState(locations.stateFile, state);
  notice(`using the embedded MongoDB ${state.version} that already runs: ${embeddedUri(state.port)}`);
  return handle(state, locations, false, notice);
}

async function begin(
  binary: ObtainedBinary,
  locations: EmbeddedLocations,
  { port, notice }: EmbeddedServerOptions,
): Promise<EmbeddedServer> {
  await endPrevious(locations, notice);
  const instance = await launchOnPort(binary, locations, port);
  const pid = instance.mongodProcess?.pid ?? 0;
  launched.set(pid, instance);
  const state = stateOf({
    pid,
    port: instance.instanceOpts.port ?? 0,
    version: binary.version,
    owner: process.pid,
    guardian: instance.killerProcess?.pid ?? 0,
    users: [process.pid],
  });
  await writeState(locations.stateFile, state);
  await writeFile(locations.versionFile, `${binary.version}\n`);
  notice(
    `embedded MongoDB ${state.version} started: ${embeddedUri(state.port)} (data in ${locations.dataDirectory})`,
  );
  return handle(state, locations, true, notice);
}

/**
 * Makes way for a new server. A mongod whose owner was killed is being ended by its guardian, and
 * its data directory is in use until it has closed its files.
 * @throws SeedError when a mongod with a living owner does not answer
 */
async function endPrevious(
  { stateFile }: EmbeddedLocations,
  notice: (message: string) => void,
): Promise<void> {
  const left = await readState(stateFile);
  if (left !== undefined && lives(left, left.pid)) {
    if (lives(left, left.owner)) {
      throw new SeedError(
        ExitStatus.failure,
        `the embedded server (process ${left.pid}) runs, but does not answer`,
        `stop process ${left.owner}, which started it, or set MONGODB_URI`,
      );
    }
    notice('waiting for the embedded server of a run that was killed to close its files');
    // Only what proves to be that mongod gets a signal.
    if (await answers(left)) await endMongod(left);
    else await waitForExit(left.pid, STOP_TIMEOUT_MS);
  }
  await removeState(stateFile);
}

async function launchOnPort(
  binary: ObtainedBinary,
  locations: EmbeddedLocations,
  asked: number | undefined,
): Promise<MongoInstance> {
  if (asked !== undefined && !(await isPortFree(asked))) throw portInUse(asked);
  for (let attempt = 1; ; attempt++) {
    const port = asked ?? (await freePort());
    try {
      return await launch(binary, locations.dataDirectory, port);
    } catch (error) {
      if (!(error instanceof StartFailure)) throw error;
      const taken = error.log.has(/address already in use/i);
      if (taken && asked !== undefined) throw portInUse(asked);
      if (!taken || attempt === PORT_ATTEMPTS) throw await explainStart(error, binary, locations);
    }
  }
}

function portInUse(port: number): SeedError {
  return new SeedError(
    ExitStatus.failure,
    `port ${port} is in use by another program`,
    'name another port, or none to have a free one chosen',
  );
}

function handle(
  state: ServerState,
  locations: EmbeddedLocations,
  startedHere: boolean,
  notice: (message: string) => void,
): EmbeddedServer {
  let stopping: Promise<void> | undefined;
  return {
    uri: embeddedUri(state.port),
    port: state.port,
    pid: state.pid,
    version: state.version,
    dataDirectory: locations.dataDirectory,
    startedHere,
    stop: () => {
      stopping ??= withFileLock(locations.lockFile, lockOptions(notice), () => leave(state.pid, locations));
      return stopping;
    },
  };
}

/**
 * Ends this process's use. The last user ends the server; an owner with others left hands it over
 * to one of them.
 */
async function leave(pid: number, { stateFile }: EmbeddedLocations): Promise<void> {
  const state = await readState(stateFile);
  if (state?.pid !== pid) return release(pid); // it died, and perhaps another was started since
  const mine = state.users.indexOf(process.pid);
  const users = state.users.filter((user, index) => index !== mine && lives(state, user));
  if (users.length === 0) {
    await end(state);
    await removeState(stateFile);
  } else if (users.includes(state.owner)) {
    await writeState(stateFile, stateOf({ ...state, guardian: guardianOf(state), users }));
  } else {
    const [newOwner] = users;
    const guardian = guard(newOwner, pid);
    await writeState(stateFile, stateOf({ ...state, users, owner: newOwner, guardian }));
    endGuardian(state); // it would end mongod with this process
    await release(pid);
  }
}

/** A process of the library's that ends mongod when `owner` is gone. */
function guard(owner: number, pid: number): number {
  const script = createRequire(import.meta.url).resolve('mongodb-memory-server-core/scripts/mongo_killer.js');
  const guardian = fork(script, [String(owner), String(pid)], {
    detached: true,
    stdio: 'ignore',
    execArgv: [],
  });
  guardian.unref();
  guardian.disconnect();
  return guardian.pid ?? 0;
}

/** The guardian where it lives, else 0. */
function guardianOf(state: ServerState): number {
  return lives(state, state.guardian) ? state.guardian : 0;
}

function endGuardian(state: ServerState): void {
  if (guardianOf(state) > 0) signal(state.guardian, 'SIGKILL');
}

/** Lets this process end while mongod goes on without it. */
async function release(pid: number): Promise<void> {
  const instance = launched.get(pid);
  if (instance === undefined) return;
  launched.delete(pid);
  const { mongodProcess, killerProcess } = instance;
  if (!isAlive(pid)) {
    await instance.stop();
    return;
  }
  mongodProcess?.removeAllListeners();
  mongodProcess?.stdout?.destroy();
  mongodProcess?.stderr?.destroy();
  mongodProcess?.stdin?.destroy();
  mongodProcess?.unref();
  if (killerProcess?.connected) killerProcess.disconnect();
}

/** Ends mongod and the library's processes around it. */
async function end(state: ServerState): Promise<void> {
  await endMongod(state);
  endGuardian(state); // it would notice by itself, within seconds
  await launched.get(state.pid)?.stop(); // forgets both processes, which hold our event loop
  launched.delete(state.pid);
}
