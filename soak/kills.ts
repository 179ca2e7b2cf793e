/**
 * Many kills within one long load of each layout: of the loader and of its server, at random
 * instants, spread over the whole load.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { MongoClient } from 'mongodb';
import { LAYOUTS, type Layout } from '../src/config/settings.js';
import { type Place, verify } from '../test/support/dataset.js';
import { TcpProxy } from '../test/support/proxy.js';
import { RunningLoad } from '../test/support/running.js';
import { startTestServer, type TestServer } from '../test/support/server.js';
import type { Chance } from './chance.js';
import type { Tally } from './tally.js';

const LOADER_KILLS = 40;
const SERVER_KILLS = 20;
/** Assets with records in the default fleet: shards of one day each. */
const SHARDS_A_DAY = 32;
const HANGS_AFTER_MS = 180_000;
/**
 * A line that slow makes a load wait; kills of which too few have come for how far the load is are
 * then waited for.
 */
const BRAKE_MS = 250;

export async function runKills(days: number, chance: Chance, tally: Tally): Promise<void> {
  for (const layout of LAYOUTS) {
    const server = await startTestServer();
    const proxy = await TcpProxy.start(server.port);
    try {
      await killOver(layout, days, { server, proxy, chance, tally });
    } finally {
      await proxy.stop();
      await server.stop();
    }
  }
}

interface Tools {
  readonly server: TestServer;
  readonly proxy: TcpProxy;
  readonly chance: Chance;
  readonly tally: Tally;
}

async function killOver(
  layout: Layout,
  days: number,
  { server, proxy, chance, tally }: Tools,
): Promise<void> {
  const place: Place = { uri: proxy.uri, database: `kills_${layout}` };
  const past: Place = { ...place, uri: server.uri };
  const flags = ['--days', String(days), '--shard-days', '1', '--layout', layout, '--batch-size', '1000'];
  const options = { timeoutMs: HANGS_AFTER_MS };
  const left = { loader: LOADER_KILLS, server: SERVER_KILLS };
  const all = LOADER_KILLS + SERVER_KILLS;
  // Without it a load of buckets would be over before the first kill.
  proxy.delay(BRAKE_MS);
  let running = RunningLoad.load(place, flags, options);
  const goOn = async () => {
    const { status, stderr } = await running.ended;
    if (running.hung) tally.hung++;
    if (/^\s+at .+:\d+:\d+\)?$/m.test(stderr)) tally.stackTraces++;
    if (status === 0 && (await doneShards(past)) >= days * SHARDS_A_DAY) return false;
    tally.resumes++;
    running = (await hasRun(past))
      ? RunningLoad.resume(place, [], options)
      : RunningLoad.load(place, flags, options);
    return true;
  };
  while (left.loader + left.server > 0) {
    const killed = 1 - (left.loader + left.server) / all;
    const done = (await doneShards(past)) / (days * SHARDS_A_DAY);
    proxy.delay(done > killed ? BRAKE_MS : 0);
    await Promise.race([sleep(chance.between(50, 1200)), running.ended]);
    if (running.hasEnded) {
      if (await goOn()) continue;
      console.error(`the load was complete with ${left.loader} and ${left.server} kills left`);
      break;
    }
    const victim = chance.happens(left.server / (left.loader + left.server)) ? 'server' : 'loader';
    left[victim]--;
    tally.addFault(`${victim} SIGKILL`, layout);
    if (victim === 'server') {
      await server.kill('SIGKILL');
      await sleep(chance.between(0, 400));
      await server.restart();
    } else {
      running.kill('SIGKILL');
      await goOn();
    }
  }
  proxy.delay(0);
  while (await goOn());
  const verdict = await verify(past);
  tally.rounds[layout]++;
  tally.addVerdict(verdict);
  console.error(
    `${layout}: ${verdict.status}, ${verdict.records.found} records, fingerprint ${verdict.fingerprint}`,
  );
  if (verdict.status !== 'equal') console.error(JSON.stringify(verdict, null, 1));
}

async function doneShards({ uri, database }: Place): Promise<number> {
  return withClient(uri, (client) => client.db(database).collection('seed_shards').countDocuments());
}

async function hasRun({ uri, database }: Place): Promise<boolean> {
  return (
    (await withClient(uri, (client) => client.db(database).collection('seed_runs').countDocuments())) > 0
  );
}

async function withClient<T>(uri: string, use: (client: MongoClient) => Promise<T>): Promise<T> {
  const client = new MongoClient(uri);
  try {
    return await use(client);
  } finally {
    await client.close();
  }
}
