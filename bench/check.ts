/**
 * `npm run bench:check`: has the loader become dearer than the recorded figure says? Compares CPU
 * time, which other work on the machine disturbs far less than wall time. Exit status 1 when it
 * has.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { SEED, WINDOW_END } from './dataset.js';
import { loaderCommand, loaderOutput, ROOT, runMeasured } from './measure.js';
import { Results } from './results.js';
import { type BenchServer, startBenchServer } from './server.js';

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '3' },
    tolerance: { type: 'string', default: '1.3' },
    'without-server': { type: 'boolean', default: false },
  },
});
const runs = Number(values.runs);
const tolerance = Number(values.tolerance);
if (!Number.isInteger(runs) || runs < 1) throw new Error('--runs must be a whole number from 1 on');
if (!(tolerance >= 1)) throw new Error('--tolerance must be a factor from 1 on, such as 1.3');

const recorded = Results.parse(
  JSON.parse(readFileSync(join(ROOT, 'bench', 'results', 'latest.json'), 'utf8')),
);
const scratch = mkdtempSync(join(tmpdir(), 'seed-bench-files-'));
const database = 'bench_check';

/** The cheapest of several loads, in µs CPU a record: what disturbs a run only ever adds. */
async function leastCpu(options: string[], server: BenchServer | undefined): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let run = 0; run < runs; run++) {
    // As many days as were recorded: start-up is part of the figure.
    const command = loaderCommand(recorded.days, WINDOW_END, SEED, options);
    const cost = await runMeasured(command, scratch);
    least = Math.min(least, (cost.cpuSeconds * 1e6) / loaderOutput(cost.stdout).records.inserted);
    await server?.drop(database);
  }
  return least;
}

/** Says how the figure compares, and whether it is good enough. */
function judge(id: string, measured: number): boolean {
  const entry = recorded.contestants.find((found) => found.id === id && found.layout === 'flat');
  if (!entry) throw new Error(`bench/results/latest.json has no figure of ${id}: run npm run bench`);
  const limit = entry.loaderCpuMicros.median * tolerance;
  const good = measured <= limit;
  console.log(
    `${good ? 'good' : 'WORSE'}: ${id} ${measured.toFixed(2)} µs CPU a record, ` +
      `recorded ${entry.loaderCpuMicros.median.toFixed(2)}, limit ${limit.toFixed(2)}`,
  );
  return good;
}

async function serverWhereThereIsOne(): Promise<BenchServer | undefined> {
  if (values['without-server']) return undefined;
  try {
    return await startBenchServer();
  } catch (error) {
    console.log(
      `no server, so only generation is checked: ${error instanceof Error ? error.message : error}`,
    );
    return undefined;
  }
}

const server = await serverWhereThereIsOne();
try {
  const verdicts = [judge('none', await leastCpu(['--writer', 'none'], undefined))];
  if (server) {
    const where = ['--uri', server.uri, '--database', database, '--writer', 'sequence'];
    verdicts.push(judge('sequence-1000', await leastCpu([...where, '--batch-size', '1000'], server)));
  }
  process.exitCode = verdicts.every(Boolean) ? 0 : 1;
} finally {
  await server?.stop();
  rmSync(scratch, { recursive: true, force: true });
}
