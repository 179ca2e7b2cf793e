/**
 * One round: a load with random options, faults while it runs, --resume until it is complete,
 * verify.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { MongoClient } from 'mongodb';
import { LAYOUTS, type Layout } from '../src/config/settings.js';
import { ExitStatus } from '../src/errors.js';
import { type Place, verify } from '../test/support/dataset.js';
import { DISTURBED } from '../test/support/disturbed.js';
import { TcpProxy } from '../test/support/proxy.js';
import { RunningLoad, type RunningOptions } from '../test/support/running.js';
import type { TestServer } from '../test/support/server.js';
import type { Chance } from './chance.js';
import { FAULTS } from './faults.js';
import { disturb, dropDatabase, HANGS_AFTER_MS, IMPATIENT, judge, SESSIONS } from './session.js';
import type { Tally } from './tally.js';

export interface RoundInput {
  readonly number: number;
  readonly server: TestServer;
  readonly isSet: boolean;
  readonly chance: Chance;
  readonly tally: Tally;
  /** For files that rounds leave. */
  readonly scratch: string;
}

const HOOK = new URL('../test/faults/thread-death.js', import.meta.url).href;
const DEATHS = ['exit', 'throw', 'reject'] as const;
/** Resolves with true when the round ended equal. */
export async function runRound(input: RoundInput): Promise<boolean> {
  const { number, server, isSet, chance, tally } = input;
  const layout = LAYOUTS[number % LAYOUTS.length];
  const proxy = isSet ? undefined : await TcpProxy.start(server.port);
  const past: Place = { uri: server.uri, database: `round_${number}` };
  const through: Place = { uri: proxy?.uri ?? server.uri, database: past.database };
  const kinds = isSet ? FAULTS.set : FAULTS.single;
  const options = randomOptions(input, layout);
  let left = chance.whole(3, 7);
  try {
    for (let session = 0; session < SESSIONS; session++) {
      const holdsRun = await hasRun(past);
      const running =
        holdsRun && session > 0
          ? RunningLoad.resume(through, options.shared, options.running)
          : RunningLoad.load(through, [...options.flags, ...options.shared], options.running);
      if (session > 0) tally.resumes++;
      const scene = { server, proxy, place: past, running, chance };
      left = await disturb(scene, { kinds, pause: [50, 900], layout }, left, tally);
      const status = await judge(running, tally);
      if (status === ExitStatus.done && (await hasRun(past))) break;
    }
    countDeaths(options.died, layout, tally);
    const verdict = await verify(past);
    tally.addVerdict(verdict);
    tally.rounds[layout]++;
    if (verdict.status !== 'equal') console.error(JSON.stringify({ number, options, verdict }, null, 1));
    return verdict.status === 'equal';
  } finally {
    await proxy?.stop();
    await dropDatabase(past);
  }
}

interface RoundOptions {
  /** Of the first session. */
  readonly flags: readonly string[];
  /** Of every session. */
  readonly shared: readonly string[];
  readonly running: RunningOptions;
  readonly died: string;
}

function randomOptions({ number, chance, scratch, isSet }: RoundInput, layout: Layout): RoundOptions {
  const died = join(scratch, `died-${number}`);
  const dies = chance.happens(0.3);
  const fleet = join(scratch, 'fleet.json');
  writeFileSync(fleet, JSON.stringify(DISTURBED));
  const flags = [
    ...['--days', String(chance.whole(1, 3)), '--seed', String(chance.whole(0, 1e6)), '--layout', layout],
    ...['--shard-days', String(chance.whole(1, 3))],
    ...(layout === 'flat' && chance.happens(0.3) ? ['--no-clustered'] : []),
    ...(chance.happens(0.3) ? ['--interval', chance.one(['30s', '5m', '15m'])] : []),
    ...(chance.happens(0.2) ? ['--jitter', '900'] : []),
    ...(chance.happens(0.3) ? ['--events'] : []),
    ...(chance.happens(0.3) ? ['--fleet', fleet] : []),
    ...(chance.happens(0.2) ? ['--availability-scale', 'unit'] : []),
    ...(chance.happens(0.2) ? ['--metrics-only', '--backup-only'] : []),
  ];
  const shared = [
    ...['--workers', String(chance.whole(1, 3)), '--batch-size', String(chance.one([200, 500, 1000, 5000]))],
    ...['--writer', chance.one(['auto', 'auto', 'sequence', 'bulkwrite'])],
    ...['--retry-seconds', String(chance.one([5, 60]))],
    ...(isSet ? ['--write-concern', 'majority'] : []),
    ...(chance.happens(0.2) ? ['--compressors', 'zlib'] : []),
    ...(chance.happens(0.1) ? ['--log-file', '/dev/full'] : []),
  ];
  const env = {
    ...IMPATIENT,
    ...(dies
      ? {
          NODE_OPTIONS: `--import=${HOOK}`,
          DIE: chance.one(DEATHS),
          DEATHS: String(chance.whole(1, 2)),
          DIED: died,
        }
      : {}),
  };
  return { flags, shared, died, running: { env, timeoutMs: HANGS_AFTER_MS } };
}

function countDeaths(died: string, layout: Layout, tally: Tally): void {
  if (!existsSync(died)) return;
  for (const _ of readFileSync(died, 'utf8')) tally.addFault('worker thread dies', layout);
}

async function hasRun({ uri, database }: Place): Promise<boolean> {
  const client = new MongoClient(uri);
  try {
    return (await client.db(database).collection('seed_runs').countDocuments()) > 0;
  } finally {
    await client.close();
  }
}
