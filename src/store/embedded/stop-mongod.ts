/** Ends a mongod cleanly. */
import { MongoClient } from 'mongodb';
import { signal, waitForExit } from './processes.js';
import { embeddedUri, type ServerState } from './state.js';

/** A clean end writes what the cache still holds, some gigabytes at most, to a disk that may be slow. In milliseconds. */
export const STOP_TIMEOUT_MS = 60_000;

/** Asks mongod to end and waits for it; one that does not in time is killed, and its journal keeps the data. */
export async function endMongod({ pid, port }: Pick<ServerState, 'pid' | 'port'>): Promise<void> {
  if (process.platform === 'win32') await shutDownByCommand(port);
  else signal(pid, 'SIGINT');
  if (await waitForExit(pid, STOP_TIMEOUT_MS)) return;
  signal(pid, 'SIGKILL');
  await waitForExit(pid, STOP_TIMEOUT_MS);
}

/** Windows knows no signals: there they end a process as a power cut would. */
async function shutDownByCommand(port: number): Promise<void> {
  const client = new MongoClient(embeddedUri(port), { serverSelectionTimeoutMS: 5_000 });
  try {
    await client.db('admin').command({ shutdown: 1 });
  } catch {
    // the connection closes with the server; one that did not obey is killed after the time-out
  } finally {
    await client.close();
  }
}
