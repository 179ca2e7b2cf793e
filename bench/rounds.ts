/** The first table: every contestant once a round, round after round, on one server. */
import { existsSync } from 'node:fs';
import type { Layout } from '../src/config/settings.js';
import { CONTESTANTS, type Contestant, type Target } from './contestants.js';
import { plannedRecords } from './dataset.js';
import { loaderOutput, runMeasured } from './measure.js';
import { type Entry, type Run, spread } from './results.js';
import type { BenchServer } from './server.js';

const DATABASE = 'bench';

export interface RoundsOptions {
  readonly rounds: number;
  /** Contestants that are slow take part in this many rounds. */
  readonly peerRounds: number;
  readonly days: number;
  readonly layouts: readonly Layout[];
  readonly contestants: readonly Contestant[];
  readonly server: BenchServer;
  readonly scratch: string;
}

/** The contestants of these ids, all without ids. @throws Error for an unknown id. */
export function contestantsNamed(ids: readonly string[] | undefined): readonly Contestant[] {
  if (!ids) return CONTESTANTS;
  return ids.map((id) => {
    const found = CONTESTANTS.find((contestant) => contestant.id === id);
    if (!found) throw new Error(`no contestant "${id}": ${CONTESTANTS.map((known) => known.id).join(', ')}`);
    return found;
  });
}

/** @throws Error where a peer of these contestants is not built. */
export function requirePeers(contestants: readonly Contestant[]): void {
  const missing = contestants.filter(({ needs }) => needs.some((file) => !existsSync(file)));
  if (missing.length === 0) return;
  const names = missing.map(({ id }) => id).join(', ');
  throw new Error(`not built: ${names}; run "npm run bench:peers", or name others with --only`);
}

/** Each round begins with another contestant, so that none always follows the same one. */
function turned<T>(items: readonly T[], by: number): T[] {
  const at = by % items.length;
  return [...items.slice(at), ...items.slice(0, at)];
}

/** @throws Error when a contestant fails, or leaves another number of records than it should. */
export async function runRounds(options: RoundsOptions): Promise<Entry[]> {
  const { rounds, peerRounds, days, layouts, server, scratch } = options;
  const records = plannedRecords(days);
  const entries: Entry[] = [];
  for (const layout of layouts) {
    const target: Target = { server, database: DATABASE, layout, days, scratch };
    const contestants = options.contestants.filter(({ layouts: own = layouts }) => own.includes(layout));
    for (const { id, prepareOnce } of contestants) {
      if (!prepareOnce) continue;
      console.error(`${layout}: preparing ${id}`);
      await prepareOnce(target);
    }
    const runs = new Map<string, Run[]>(contestants.map(({ id }) => [id, []]));
    for (let round = 1; round <= rounds; round++) {
      for (const contestant of turned(contestants, round - 1)) {
        if (contestant.slow && round > peerRounds) continue;
        const run = await runOnce(contestant, target, records, round);
        runs.get(contestant.id)?.push(run);
        const rate = Math.round(run.recordsPerSecond).toLocaleString('en');
        const cpu = run.loaderCpuMicros.toFixed(2);
        console.error(
          `${layout}, round ${round} of ${rounds}: ${contestant.id} ${rate} records/s, ${cpu} µs CPU a record`,
        );
      }
    }
    for (const contestant of contestants) {
      entries.push(summarise(contestant, layout, records, runs.get(contestant.id) ?? []));
    }
  }
  return entries;
}

/** One load into a database that is not there before and not after. */
export async function runOnce(
  contestant: Contestant,
  target: Target,
  records: number,
  round: number,
): Promise<Run> {
  const { server, database, scratch } = target;
  const command = await contestant.command(target);
  const before = server.cpuSeconds();
  const cost = await runMeasured(command, scratch);
  const serverCpu = server.cpuSeconds() - before;
  const found = contestant.writes
    ? await server.countMetrics(database)
    : loaderOutput(cost.stdout).records.inserted;
  if (found !== records) throw new Error(`${contestant.id}: ${found} records instead of ${records}`);
  if (contestant.writes) await server.drop(database);
  const loadingCpu = contestant.loadingCpuSeconds?.(cost);
  const wholeCpu = contestant.onlyLoadingCounts ? loadingCpu : undefined;
  const micros = (seconds: number) => (seconds * 1e6) / records;
  return {
    round,
    recordsPerSecond: records / contestant.seconds(cost, records),
    loaderCpuMicros: micros(wholeCpu ?? cost.cpuSeconds),
    loadingCpuMicros: loadingCpu === undefined ? undefined : micros(loadingCpu),
    serverCpuMicros: micros(serverCpu),
    maxRssMb: cost.maxRssMb,
    wallSeconds: cost.wallSeconds,
  };
}

function summarise(contestant: Contestant, layout: Layout, records: number, runs: Run[]): Entry {
  return {
    layout,
    id: contestant.id,
    name: contestant.name,
    records,
    recordsPerSecond: spread(runs.map((run) => run.recordsPerSecond)),
    loaderCpuMicros: spread(runs.map((run) => run.loaderCpuMicros)),
    wallSeconds: contestant.onlyLoadingCounts ? undefined : spread(runs.map((run) => run.wallSeconds)),
    loadingCpuMicros: contestant.loadingCpuSeconds
      ? spread(runs.map((run) => run.loadingCpuMicros ?? run.loaderCpuMicros))
      : undefined,
    serverCpuMicros: contestant.writes ? spread(runs.map((run) => run.serverCpuMicros)) : undefined,
    maxRssMb: contestant.memoryMeansNothing ? undefined : spread(runs.map((run) => run.maxRssMb)),
    runs,
  };
}
