/** The second table: this loader alone, by workers and by days. */
import type { Layout } from '../src/config/settings.js';
import { plannedRecords, SEED, WINDOW_END } from './dataset.js';
import { loaderCommand, loaderOutput, runMeasured } from './measure.js';
import type { Scaling } from './results.js';
import type { BenchServer } from './server.js';

const WORKERS = [1, 2, 4];
const DAYS = { flat: [1, 14, 90], timeseries: [1, 14, 90, 365] } as const satisfies Record<
  Layout,
  readonly number[]
>;
/** Longer periods are loaded with one and two workers only, unless all is asked for. */
const LONG_DAYS = 90;

export interface ScalingOptions {
  readonly layouts: readonly Layout[];
  readonly full: boolean;
  readonly server: BenchServer;
  readonly scratch: string;
}

/**
 * One run of each; default batch size. @throws Error when a load fails or its count is not the
 * planned one.
 */
export async function runScaling(options: ScalingOptions): Promise<Scaling[]> {
  const { layouts, full, server, scratch } = options;
  const database = 'bench_scaling';
  const rows: Scaling[] = [];
  for (const layout of layouts) {
    for (const days of full ? DAYS.timeseries : DAYS[layout]) {
      for (const workers of WORKERS) {
        if (!full && days >= LONG_DAYS && workers > 2) continue;
        const records = plannedRecords(days);
        const where = ['--uri', server.uri, '--database', database, '--layout', layout];
        const command = loaderCommand(days, WINDOW_END, SEED, [...where, '--workers', `${workers}`]);
        const cost = await runMeasured(command, scratch);
        const { recordsPerSecond } = loaderOutput(cost.stdout);
        const found = await server.countMetrics(database);
        if (found !== records)
          throw new Error(`${layout}, ${days} days: ${found} records instead of ${records}`);
        await server.drop(database);
        console.error(
          `${layout}, ${days} days, ${workers} workers: ${recordsPerSecond.toLocaleString('en')} records/s`,
        );
        const loaderCpuMicros = (cost.cpuSeconds * 1e6) / records;
        rows.push({
          layout,
          workers,
          days,
          records,
          recordsPerSecond,
          loaderCpuMicros,
          maxRssMb: cost.maxRssMb,
        });
      }
    }
  }
  return rows;
}
