/** The benchmark's own mongod, and what it costs. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Db, MongoClient } from 'mongodb';
import { obtainBinary } from '../src/embedded/binary.js';
import { METRIC_BUCKETS, METRICS } from '../src/store/collections.js';

/** Kernel clock ticks a second, as /proc counts CPU time on every Linux in use. */
const TICKS_PER_SECOND = 100;

export interface BenchServer {
  readonly uri: string;
  readonly version: string;
  /** User and system seconds used so far. */
  cpuSeconds(): number;
  /** Records in `metrics`, as many as are really stored. */
  countMetrics(database: string): Promise<number>;
  /** Drops a database and waits until that is on disk. */
  drop(database: string): Promise<void>;
  stop(): Promise<void>;
}

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const { port } = probe.address() as { port: number };
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

/**
 * In the flat layout the server's own count, exact where it has not crashed; in time-series the sum
 * over the buckets.
 */
async function countMetrics(db: Db): Promise<number> {
  const buckets = db.collection(METRIC_BUCKETS);
  // A closed bucket says its count; one that is open is counted by its columns.
  const open = { $size: { $objectToArray: '$data.timestamp' } };
  const counted = await buckets
    .aggregate([{ $group: { _id: null, records: { $sum: { $ifNull: ['$control.count', open] } } } }])
    .next();
  return counted?.records ?? (await db.collection(METRICS).estimatedDocumentCount());
}

/** Starts a mongod with a fresh data directory, on loopback. */
export async function startBenchServer(): Promise<BenchServer> {
  const { path, version } = await obtainBinary((message) => console.error(message));
  const directory = mkdtempSync(join(tmpdir(), 'seed-bench-'));
  const port = await freePort();
  const args = [
    '--dbpath',
    directory,
    '--port',
    `${port}`,
    '--bind_ip',
    '127.0.0.1',
    '--wiredTigerCacheSizeGB',
    '4',
  ];
  const server: ChildProcess = spawn(path, args, { stdio: 'ignore' });
  const uri = `mongodb://127.0.0.1:${port}`;
  const client = new MongoClient(uri, { serverSelectionTimeoutMS: 20_000 });
  await client.connect();
  return {
    uri,
    version,
    cpuSeconds() {
      const fields = readFileSync(`/proc/${server.pid}/stat`, 'utf8').split(') ')[1].split(' ');
      return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
    },
    countMetrics: (database) => countMetrics(client.db(database)),
    async drop(database) {
      await client.db(database).dropDatabase();
      // A checkpoint of the dropped data must not fall into the next contestant's time.
      await client.db('admin').command({ fsync: 1 });
      await sleep(500);
    },
    async stop() {
      await client.close();
      const ended = new Promise((resolve) => server.once('exit', resolve));
      server.kill('SIGTERM');
      await ended;
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
