/** `seed-database export`: a dataset as files, without a server. */

import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import type { SettingName } from '../config/catalog.js';
import { readConfiguration } from '../config/index.js';
import { ExitStatus, usageError } from '../errors.js';
import { type Exported, type ExportFormat, exportDataset } from '../export/index.js';
import { requestedFleet } from '../load/fleet.js';
import { requestedDataset } from '../load/requested.js';
import { DEFAULT_SHARD_DAYS, planLoad } from '../plan/index.js';
import { bytes, count, counted, duration } from '../report/format.js';
import { jsonText } from '../report/harmless.js';
import { Screen } from '../report/screen.js';
import { tree } from '../report/tree.js';
import { listenForInterrupts } from './interrupt.js';
import { Progress } from './progress.js';

/** What `export` has besides the flags of a load, as typed. */
export interface ExportFlags {
  readonly format?: ExportFormat;
  readonly out?: string;
  readonly gzip?: boolean;
}

export async function exportFiles(
  flags: Partial<Record<SettingName, string>>,
  { format = 'bson', out, gzip = false }: ExportFlags,
): Promise<ExitStatus> {
  const { settings } = readConfiguration({ flags, environment: process.env, directory: process.cwd() });
  if (!out) throw usageError('export needs --out', 'name a folder that is not there yet, or empty');
  if (gzip && format === 'parquet') {
    throw usageError('--gzip and --format parquet exclude each other', 'Parquet compresses by itself');
  }
  const { load, output, connection } = settings;
  const dataset = requestedDataset(load, new Date());
  const fleet = await requestedFleet(load.fleet);
  const plan = planLoad(fleet, dataset.window, dataset.sections, load.shardDays ?? DEFAULT_SHARD_DAYS);
  const screen = new Screen(output.json ? process.stderr : process.stdout, output.color, process.env.TERM);
  const errors = new Screen(process.stderr, output.color, process.env.TERM);
  const progress = new Progress(output.quiet ? undefined : screen);
  const interrupts = listenForInterrupts(
    (message) => screen.note(message, 'warning'),
    (failure) => {
      progress.end();
      const remedy = `${out}.part holds what was written; the next export into ${out} removes it`;
      errors.fail({ ...failure, remedy });
    },
  );
  try {
    const exported = await exportDataset({
      fleet,
      dataset,
      plan,
      format,
      gzip,
      out: resolve(out),
      clean: load.existing === 'clean',
      database: connection.database,
      clustered: load.clustered,
      batchSize: load.batchSize,
      workers: load.workers ?? availableParallelism(),
      interrupt: interrupts.signal,
      onProgress: (written, planned) => progress.show(written, planned),
    });
    progress.end();
    if (output.json) {
      const { seed, layout, window } = dataset;
      const period = { start: new Date(window.start * 60_000), end: new Date(window.end * 60_000) };
      const result = {
        ...exported,
        seed,
        layout,
        window: period,
        format,
        out: resolve(out),
        database: connection.database,
      };
      process.stdout.write(`${jsonText(result)}\n`);
    } else
      screen.print(
        linesOf(exported, { out, format, seed: dataset.seed, database: connection.database }),
        'good',
      );
    return exported.status === 'interrupted' ? ExitStatus.interrupted : ExitStatus.done;
  } finally {
    progress.end();
    interrupts.stop();
  }
}

function linesOf(
  exported: Exported,
  { out, format, seed, database }: { out: string; format: ExportFormat; seed: number; database: string },
): string[] {
  if (exported.status === 'interrupted') return ['⚠️  Interrupted: nothing is left behind'];
  const { records, files, elapsedMs } = exported;
  const rate = count(Math.round((records / elapsedMs) * 1000));
  return [
    `🎯 ${count(records)} records, seed ${seed}, in ${out}`,
    ...tree([
      `${counted(files, 'file')}, ${bytes(exported.bytes)}, in ${duration(elapsedMs)} (${rate} records/s)`,
      ...(format === 'bson'
        ? [
            `Restore: mongorestore ${out}`,
            `Check: seed-database verify --database ${database} --seed ${seed} with the same period`,
          ]
        : []),
    ]),
  ];
}
