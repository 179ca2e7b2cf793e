/** Keeps the embedded server up for other programs. */
import { setTimeout as sleep } from 'node:timers/promises';
import { isAlive, isPortFree } from '../embedded/mongod.js';
import { type EmbeddedServerOptions, startEmbeddedServer } from '../embedded/server.js';
import { embeddedLocations, runningServer } from '../embedded/state.js';
import { ExitStatus, SeedError } from '../errors.js';

/** MongoDB's own port: what every client tries first. */
const DEFAULT_PORT = 27017;

/** Milliseconds between two looks at whether mongod still lives. */
const WATCH_MS = 500;

/**
 * Starts the embedded server (on 27017 when no port is asked and that one is free), or joins the
 * one that runs, says its URI, and stops it cleanly when `stopped` is aborted, be it during the
 * start.
 * @throws SeedError as {@link startEmbeddedServer}, or when mongod ends by itself
 */
export async function serveUntilStopped(options: EmbeddedServerOptions, stopped: AbortSignal): Promise<void> {
  const server = await startEmbeddedServer({ ...options, port: options.port ?? (await preferredPort()) });
  options.notice(`MongoDB ${server.version} is up at ${server.uri} (Ctrl-C stops it)`);
  while (!stopped.aborted && isAlive(server.pid)) {
    await sleep(WATCH_MS, undefined, { signal: stopped }).catch(() => undefined);
  }
  const ended = !stopped.aborted;
  options.notice('stopping MongoDB');
  await server.stop();
  if (ended) {
    throw new SeedError(
      ExitStatus.failure,
      `MongoDB (process ${server.pid}) ended by itself`,
      'somebody killed it, or memory or disk ran out: see the system log',
    );
  }
}

/**
 * 27017 when it is free, and no preference when another embedded server runs: that one is joined.
 */
async function preferredPort(): Promise<number | undefined> {
  if ((await runningServer(embeddedLocations().stateFile)) !== undefined) return undefined;
  return (await isPortFree(DEFAULT_PORT)) ? DEFAULT_PORT : undefined;
}
