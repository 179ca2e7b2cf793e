/** Opens a connection to a server that may still be starting. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ConnectionSettings } from '../config/settings.js';
import { ExitStatus, SeedError } from '../errors.js';
import { type Connection, openConnection } from './connect.js';
import { NotThere } from './no-contact.js';

const PAUSE_MS = 500;

/** Who is told, and who may stop it. */
export interface Waiting {
  readonly notice: (message: string) => void;
  readonly signal?: AbortSignal;
}

/**
 * Tries until the server takes part, for as long as `--wait` says; says once that it waits, and for what.
 * @throws SeedError the last failure, or at once one that waiting cannot mend
 */
export async function openWhenReady(
  connection: ConnectionSettings,
  { notice, signal }: Waiting,
): Promise<Connection> {
  const { opening } = connection;
  const waitMs = opening?.waitMs ?? 0;
  if (opening === undefined || waitMs === 0) return openConnection(connection);
  const deadline = performance.now() + waitMs;
  // Each attempt may be short: there is another one.
  const hasty = { ...connection, opening: { ...opening, patient: false } };
  for (let told = false; ; told = true) {
    const left = Math.max(1, Math.ceil(deadline - performance.now()));
    try {
      return await openConnection(hasty, withinMs(connection, left));
    } catch (error) {
      if (!mayPass(error)) throw error;
      if (performance.now() + PAUSE_MS >= deadline) throw inVain(error, waitMs);
      if (!told) notice(`waiting for the server, up to ${waitMs / 1000} s: ${error.message}`);
    }
    await sleep(PAUSE_MS, undefined, { signal }).catch(() => undefined);
    if (signal?.aborted) {
      throw new SeedError(ExitStatus.interrupted, 'interrupted while waiting for the server');
    }
  }
}

function withinMs({ options }: ConnectionSettings, left: number): { serverSelectionTimeoutMS?: number } {
  const own = Number(options.serverSelectionTimeoutMS ?? Number.POSITIVE_INFINITY);
  return left < own ? { serverSelectionTimeoutMS: left } : {};
}

function mayPass(error: unknown): error is SeedError {
  return (
    error instanceof SeedError &&
    error.exitStatus === ExitStatus.cannotConnect &&
    !(error instanceof NotThere)
  );
}

function inVain({ exitStatus, message, remedy }: SeedError, waitMs: number): SeedError {
  const waited = `${message} (waited ${waitMs / 1000} s)`;
  return new SeedError(exitStatus, waited, remedy.replace(/;? ?--wait 60 waits [^;]+$/, ''));
}
