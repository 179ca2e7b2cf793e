/** The third table: what a user waits for where there is little to load. */
import { SEED } from './dataset.js';
import { loaderOutput, programOf, runMeasured } from './measure.js';
import { type Start, spread } from './results.js';
import type { BenchServer } from './server.js';

const ROUNDS = 15;
const HOUR = ['--start', '2025-02-08T23:00Z', '--end', '2025-02-09T00:00Z', '--seed', `${SEED}`];

/**
 * Whole processes, one after the other, round after round.
 * @throws Error when a load fails
 */
export async function measureStart({
  server,
  scratch,
}: {
  readonly server: BenchServer;
  readonly scratch: string;
}): Promise<Start> {
  const seconds = { node: [] as number[], flat: [] as number[], timeseries: [] as number[] };
  const database = 'bench_start';
  for (let round = 0; round < ROUNDS; round++) {
    const { wallSeconds } = await runMeasured([process.execPath, '-e', '0'], scratch);
    seconds.node.push(wallSeconds);
    for (const layout of ['flat', 'timeseries'] as const) {
      const where = ['--uri', server.uri, '--database', database, '--layout', layout];
      const how = ['--json', '--log-file', 'load.log'];
      const cost = await runMeasured(
        [process.execPath, programOf(), 'load', ...HOUR, ...where, ...how],
        scratch,
      );
      loaderOutput(cost.stdout);
      seconds[layout].push(cost.wallSeconds);
      await server.drop(database);
    }
  }
  const { node, flat, timeseries } = seconds;
  return { node: spread(node), hour: { flat: spread(flat), timeseries: spread(timeseries) } };
}
