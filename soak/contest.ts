/**
 * A contest: one loader is away for longer than its lease — suspended, or without network — while
 * another one takes the database over and works on it; then the first comes back. Whoever they are,
 * in the end each record is there once.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { MongoClient } from 'mongodb';
import { LAYOUTS, type Layout } from '../src/config/settings.js';
import { ExitStatus } from '../src/errors.js';
import { LEASE_MS } from '../src/runs/owner.js';
import { loadFlags, type Place, placeFlags, verify } from '../test/support/dataset.js';
import { TcpProxy } from '../test/support/proxy.js';
import { RunningLoad } from '../test/support/running.js';
import type { TestServer } from '../test/support/server.js';
import type { Chance } from './chance.js';
import { dropDatabase, judge } from './session.js';
import type { Tally } from './tally.js';

/** How a loader is away. What is cut on the server's side is not waited for; what is not, is. */
const WAYS = {
  suspended: {
    leave: (proxy: TcpProxy, running: RunningLoad) => {
      running.kill('SIGSTOP');
      proxy.refuse();
    },
    wake: (proxy: TcpProxy, running: RunningLoad) => {
      proxy.accept();
      running.kill('SIGCONT');
    },
  },
  'suspended, still connected': {
    leave: (_: TcpProxy, running: RunningLoad) => running.kill('SIGSTOP'),
    wake: (_: TcpProxy, running: RunningLoad) => running.kill('SIGCONT'),
  },
  'without network': {
    leave: (proxy: TcpProxy) => proxy.refuse(),
    wake: (proxy: TcpProxy) => proxy.accept(),
  },
  'on a silent network': {
    leave: (proxy: TcpProxy) => proxy.stallAll(),
    wake: (proxy: TcpProxy) => proxy.resume(),
  },
} as const;

const ACTORS = ['load --clean', 'load --resume', 'refresh --keep-days', 'verify --repair'] as const;
type Actor = (typeof ACTORS)[number];

const HANGS_AFTER_MS = 240_000;
/** The line of the first one is slow, so that it is at work for a while. */
const DELAY_MS = 15;
const ATTEMPTS = 12;
const LOG = ['--log-file', '/dev/null'];

export interface ContestInput {
  readonly number: number;
  readonly server: TestServer;
  readonly chance: Chance;
  readonly tally: Tally;
}

/** Resolves with true when it ended equal. */
export async function runContest({ number, server, chance, tally }: ContestInput): Promise<boolean> {
  const layout = LAYOUTS[number % LAYOUTS.length];
  const place: Place = { uri: server.uri, database: `contest_${number}` };
  const contest = new Contest(place, layout, chance, tally);
  try {
    await contest.run('load --clean', place);
    for (let bout = chance.whole(1, 2); bout > 0; bout--) await contest.bout(server.port);
    await contest.settle();
    const verdict = await verify(place);
    tally.addVerdict(verdict);
    tally.contests[layout]++;
    if (verdict.status !== 'equal' || contest.hung) {
      const { records, assets, window } = { window: undefined, ...verdict };
      console.error(JSON.stringify({ number, story: contest.story, records, assets, window }, null, 1));
    }
    return verdict.status === 'equal';
  } finally {
    await dropDatabase(place);
  }
}

class Contest {
  /** True while records are gone, or differ, of the soak's own doing. */
  #spoilt = false;
  /** What has happened, for the case that it ends badly. */
  readonly story: string[] = [];
  readonly #began = performance.now();
  hung = false;

  constructor(
    readonly place: Place,
    readonly layout: Layout,
    readonly chance: Chance,
    readonly tally: Tally,
  ) {}

  async bout(port: number): Promise<void> {
    const { place, chance, tally, layout } = this;
    const [first, second] = [chance.one(ACTORS), chance.one(ACTORS)];
    const way = chance.one(Object.keys(WAYS) as (keyof typeof WAYS)[]);
    if (first === 'verify --repair' || second === 'verify --repair') await this.#spoil();
    const proxy = await TcpProxy.start(port, { delayMs: DELAY_MS });
    try {
      const slow = { ...place, uri: proxy.uri };
      if (first === 'load --resume') await this.#interrupt(slow);
      const running = this.#start(first, slow);
      await Promise.race([running.ended, sleep(chance.between(200, 4_000))]);
      if (running.hasEnded) return;
      tally.addFault(`${first} ${way}, ${second} takes over`, layout);
      this.#tell(`${first} is away: ${way}`);
      WAYS[way].leave(proxy, running);
      if (chance.happens(0.5)) await this.run(second, place);
      await sleep(LEASE_MS + chance.between(1_000, 6_000));
      const other = this.run(second, place);
      // In the middle of what the other one does, or after it.
      if (chance.happens(0.5)) await Promise.race([other, sleep(chance.between(500, 5_000))]);
      else if (!way.includes('still') && !way.includes('silent')) await other;
      this.#tell(`${first} is back`);
      WAYS[way].wake(proxy, running);
      await this.#end(first, running);
      await other;
    } finally {
      await proxy.stop();
    }
  }

  /** Finishes whatever was begun. */
  async settle(): Promise<void> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const resumed = await this.run('load --resume', this.place);
      const refreshed = await this.run('refresh --keep-days', this.place);
      if (resumed === ExitStatus.done && refreshed === ExitStatus.done) break;
      await sleep(LEASE_MS / 5);
    }
    if (this.#spoilt) await this.run('verify --repair', this.place);
  }

  async run(actor: Actor, place: Place): Promise<ExitStatus | null> {
    return this.#end(actor, this.#start(actor, place));
  }

  async #end(actor: Actor, running: RunningLoad): Promise<ExitStatus | null> {
    // What is compared may be changed by another one meanwhile: that it differs is no surprise.
    const also = actor === 'verify --repair' ? [ExitStatus.failure] : [];
    const status = await judge(running, this.tally, also);
    this.hung ||= running.hung;
    const [, why = ''] = /❌ ([^\n]+)/.exec(running.stderr) ?? [];
    this.#tell(`${actor} (pid ${running.child.pid}) ended with ${status} ${why}`);
    // A repair puts right the newest run, which need not be the one whose records are gone.
    if (actor === 'load --clean' && status === ExitStatus.done) this.#spoilt = false;
    return status;
  }

  #tell(what: string): void {
    this.story.push(`${((performance.now() - this.#began) / 1000).toFixed(1)} s: ${what}`);
  }

  #start(actor: Actor, place: Place): RunningLoad {
    const running = this.#session(actor, place);
    this.#tell(`${actor} (pid ${running.child.pid}): ${running.child.spawnargs.slice(2).join(' ')}`);
    return running;
  }

  #session(actor: Actor, place: Place): RunningLoad {
    const { chance, layout } = this;
    const options = { timeoutMs: HANGS_AFTER_MS };
    const seed = String(chance.whole(0, 1e6));
    const end = `2025-02-${chance.one(['09', '10'])}`;
    switch (actor) {
      case 'load --clean': {
        const flags = ['--clean', '--seed', seed, '--days', '3', '--end', end, '--layout', layout];
        const small = ['--metrics-only', '--backup-only', '--shard-days', '1', '--batch-size', '500'];
        return new RunningLoad([...loadFlags(place), ...flags, ...small, ...LOG], options);
      }
      case 'load --resume':
        return RunningLoad.resume(place, [], options);
      case 'refresh --keep-days': {
        // MongoDB before 7.0 cannot trim a time-series collection.
        const keep = layout === 'flat' ? ['--keep-days', '2'] : [];
        return new RunningLoad(
          ['refresh', ...placeFlags(place), '--end', '2025-02-11', ...keep, ...LOG],
          options,
        );
      }
      case 'verify --repair':
        return new RunningLoad(['verify', ...placeFlags(place), '--repair', '--workers', '2'], options);
    }
  }

  /** Gives a resumed load something to do. */
  async #interrupt(place: Place): Promise<void> {
    const running = this.#start('load --clean', place);
    await Promise.race([running.ended, sleep(this.chance.between(1_000, 3_000))]);
    running.kill('SIGINT');
    await this.#end('load --clean', running);
  }

  /** Gives a repair something to do; while nobody is at work. */
  async #spoil(): Promise<void> {
    const { uri, database } = this.place;
    const client = new MongoClient(uri);
    try {
      const metrics = client.db(database).collection('metrics');
      this.#spoilt = true;
      if (this.layout === 'timeseries') {
        await metrics.deleteMany({ 'meta.asset_id': 'vm-101', 'meta.metric_name': 'cpu_usage' });
        return;
      }
      await metrics.deleteMany({ asset_id: 'vm-101', metric_name: 'cpu_usage' });
      await metrics.updateMany({ metric_name: 'io_wait' }, { $set: { note: 'spoilt' } });
    } finally {
      await client.close();
    }
  }
}
