/** `seed-database export` and `answers`: a dataset without loading it. */

import { closeSync, openSync, writeSync } from 'node:fs';
import { resolve } from 'node:path';
import type { SettingName } from '../config/catalog.js';
import { type Configuration, readConfiguration } from '../config/configuration.js';
import type {
  ANSWER_TABLES,
  ConnectionSettings,
  ExportFormat,
  ParquetCompression,
  Settings,
} from '../config/settings.js';
import { maskUri } from '../config/uri.js';
import { csvLine, EVENT_COLUMNS, eventLine } from '../csv.js';
import { ExitStatus, usageError } from '../errors.js';
import {
  type Described,
  describedDataset,
  type Exported,
  exportFiles as exportDataset,
  knownAnswers,
  knownEvents,
  streamLines,
} from '../library/dataset.js';
import { bytes, count, counted, duration, tree } from '../output/format.js';
import { Screen } from '../output/screen.js';
import { shellWord, withoutMasked } from '../output/shell.js';
import { jsonText } from '../output/width.js';
import { commandHints, datasetFlags, flagText } from './commands.js';
import { OF_CONNECTIONS } from './options.js';
import { listenForInterrupts, Progress, toStandardOutput } from './terminal.js';

// `seed-database export`: a dataset as files, or as lines on standard output.

/** What `export` has besides the flags of a load, as typed. */
export interface ExportFlags {
  readonly format?: ExportFormat;
  readonly out?: string;
  readonly gzip?: boolean;
  readonly compression?: ParquetCompression;
  readonly oneFile?: boolean;
  readonly events?: boolean;
}

export async function exportFiles(
  flags: Partial<Record<SettingName, string>>,
  { format = 'bson', out, gzip = false, compression, oneFile, events }: ExportFlags,
): Promise<ExitStatus> {
  const { settings } = configured(flags);
  if (!out) throw usageError('export needs --out', 'name a folder that is not there yet, or empty');
  if (out === '-') return stream(settings, format, gzip);
  const { load, output, connection } = settings;
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
    const {
      dataset,
      window: period,
      ...exported
    } = await exportDataset(settings, {
      format,
      gzip,
      compression,
      oneFile,
      events,
      out,
      signal: interrupts.signal,
      onProgress: (written, planned) => progress.show(written, planned),
    });
    progress.end();
    const { seed, layout } = dataset;
    const { program } = commandHints(flags);
    const same = `${flagText({ ...flags, database: connection.database }, ['envFile', 'database'])}${datasetFlags(load, seed, period)}`;
    const commands =
      format === 'bson'
        ? {
            restore: `mongorestore${gzip ? ' --gzip' : ''}${serverFlag(connection)} ${shellPath(out)}`,
            check: `${program} verify${same}`,
          }
        : undefined;
    if (output.json) {
      const result = {
        ...exported,
        seed,
        layout,
        window: period,
        format,
        out: resolve(out),
        database: connection.database,
        commands,
      };
      process.stdout.write(`${jsonText(result)}\n`);
    } else screen.print(linesOf(exported, { out, seed, commands }), 'good');
    return exported.status === 'interrupted' ? ExitStatus.interrupted : ExitStatus.done;
  } finally {
    progress.end();
    interrupts.stop();
  }
}

/** Records to standard output; what else is said goes to standard error. */
async function stream(settings: Settings, format: ExportFormat, gzip: boolean): Promise<ExitStatus> {
  const { load, output } = settings;
  if (format !== 'ndjson' && format !== 'csv') {
    throw usageError(`--out - cannot take ${format}`, 'add --format ndjson or --format csv');
  }
  if (output.json) throw usageError('--json and --out - exclude each other: both are standard output');
  if (load.existing === 'clean') throw usageError('--clean and --out - exclude each other');
  const screen = new Screen(process.stderr, output.color, process.env.TERM);
  const progress = new Progress(output.quiet ? undefined : screen);
  const gone = new AbortController();
  const interrupts = listenForInterrupts(
    (message) => screen.note(message, 'warning'),
    (failure) => screen.fail(failure),
  );
  try {
    const {
      status,
      records,
      bytes: written,
      elapsedMs,
    } = await streamLines(settings, {
      format,
      gzip,
      signal: AbortSignal.any([interrupts.signal, gone.signal]),
      onProgress: (done, planned) => progress.show(done, planned),
      write: async (data) => {
        if (!(await toStandardOutput(data))) gone.abort();
      },
    });
    progress.end();
    // A reader that has gone away has had enough.
    if (status === 'interrupted' && !interrupts.signal.aborted) return ExitStatus.done;
    if (!output.quiet) {
      const rate = count(Math.round((records / elapsedMs) * 1000));
      const what = status === 'interrupted' ? '⚠️  Interrupted after' : '🎯';
      screen.note(
        `${what} ${count(records)} records, ${bytes(written)}, ${duration(elapsedMs)}, ${rate} records/s`,
      );
    }
    return status === 'interrupted' ? ExitStatus.interrupted : ExitStatus.done;
  } finally {
    progress.end();
    interrupts.stop();
  }
}

interface Told {
  readonly out: string;
  readonly seed: number;
  /** Of files that can be restored. */
  readonly commands: { readonly restore: string; readonly check: string } | undefined;
}

function linesOf(exported: Exported, { out, seed, commands }: Told): string[] {
  if (exported.status === 'interrupted') return ['⚠️  Interrupted: nothing is left behind'];
  const { records, files, elapsedMs } = exported;
  const rate = count(Math.round((records / elapsedMs) * 1000));
  return [
    `🎯 ${count(records)} records, seed ${seed}, in ${out}`,
    ...tree([
      `${counted(files, 'file')}, ${bytes(exported.bytes)}, in ${duration(elapsedMs)} (${rate} records/s)`,
      ...(commands ? [`Restore: ${commands.restore}`, `Check: ${commands.check}`] : []),
    ]),
  ];
}

/**
 * Connection settings serve the line that says how to restore, and nothing else: where they are
 * wrong that line does without.
 */
function configured(flags: Partial<Record<SettingName, string>>): Configuration {
  const sources = { flags, environment: process.env, directory: process.cwd() };
  try {
    return readConfiguration(sources);
  } catch {
    return readConfiguration({ ...sources, unused: OF_CONNECTIONS.filter((name) => name !== 'database') });
  }
}

/**
 * The server that is configured, where one is. Its database would take the place of the folder's,
 * and its password is asked for.
 */
function serverFlag({ origin, uri }: ConnectionSettings): string {
  if (origin === 'default') return '';
  const address = withoutMasked(maskUri(uri)).replace(/^(\w[\w+]*:\/\/[^/?]*)(?:\/[^?]*)?/, '$1/');
  return ` --uri ${shellWord(address)}`;
}

/** A folder whose name begins with a dash is no flag. */
function shellPath(path: string): string {
  return shellWord(path.startsWith('-') ? `./${path}` : path);
}

// `seed-database answers`: what a dashboard, a report or an alert has to find in a dataset.

type Table = (typeof ANSWER_TABLES)[number];

/** What `answers` has besides the flags of a dataset, as typed. */
export interface AnswerFlags {
  readonly run?: string;
  readonly format?: 'json' | 'csv';
  readonly table?: Table;
  readonly out?: string;
}

/** Prints the answers, or writes them into a file. */
export async function answers(
  flags: Partial<Record<SettingName, string>>,
  { run, format = 'json', table, out }: AnswerFlags,
): Promise<ExitStatus> {
  if (format === 'json' && table) {
    throw usageError('--table is for --format csv: JSON has all tables', 'add --format csv');
  }
  const { settings } = readConfiguration({
    flags,
    environment: process.env,
    directory: process.cwd(),
    unused: ['environment'],
  });
  const notices = new Screen(process.stderr, settings.output.color, process.env.TERM);
  const described = await describedDataset(settings, run, { inform: (message) => notices.note(message) });
  const lines = format === 'json' ? jsonLines(described) : csvLines(described, table ?? 'daily');
  if (out !== undefined) write(lines, out);
  else for (const line of lines) if (!(await toStandardOutput(line))) break;
  return ExitStatus.done;
}

/** One object, an answer a line. */
function* jsonLines(described: Described): Generator<string> {
  const { run, dataset } = described;
  const { seed, layout, availabilityScale, sections } = dataset;
  const head = { run, seed, layout, availabilityScale, sections, window: windowOf(described) };
  yield `${JSON.stringify(head).slice(0, -1)},\n"daily": [`;
  const assets: object[] = [];
  let separator = '\n';
  for (const { kind, ...answer } of knownAnswers(described)) {
    if (kind === 'asset') assets.push(answer);
    else {
      yield `${separator}${JSON.stringify(answer)}`;
      separator = ',\n';
    }
  }
  yield `\n],\n"assets": [\n${assets.map((asset) => JSON.stringify(asset)).join(',\n')}\n],\n"events": [`;
  separator = '\n';
  for (const event of knownEvents(described)) {
    yield `${separator}${JSON.stringify(event)}`;
    separator = ',\n';
  }
  yield '\n]}\n';
}

function windowOf({ dataset: { window } }: Described): { start: string; end: string } {
  const text = (minute: number) => new Date(minute * 60_000).toISOString();
  return { start: text(window.start), end: text(window.end) };
}

const HEADERS: Readonly<Record<Table, readonly string[]>> = {
  daily: ['asset_id', 'metric_name', 'day', 'count', 'mean', 'min', 'max', 'p95'],
  assets: [
    'asset_id',
    'asset_type',
    'availability_mean',
    'down_minutes',
    'degraded_minutes',
    'outages',
    'backups_planned',
    'backups_succeeded',
    'backup_rate',
    'last_good_backup',
  ],
  events: EVENT_COLUMNS,
};

function* csvLines(described: Described, table: Table): Generator<string> {
  yield csvLine(HEADERS[table]);
  if (table === 'events') {
    for (const event of knownEvents(described)) yield eventLine(event);
    return;
  }
  for (const answer of knownAnswers(described)) {
    if (answer.kind === 'day' && table === 'daily') {
      const { assetId, metricName, day, count, mean, min, max, p95 } = answer;
      yield csvLine([assetId, metricName, day, count, mean, min, max, p95]);
    }
    if (answer.kind === 'asset' && table === 'assets') {
      const { assetId, assetType, availability, backups } = answer;
      const { mean, downMinutes, degradedMinutes, outages } = availability ?? {};
      const { planned, succeeded, rate, lastGood } = backups ?? {};
      const ofBackups = [planned, succeeded, rate, lastGood?.toISOString()];
      yield csvLine([assetId, assetType, mean, downMinutes, degradedMinutes, outages, ...ofBackups]);
    }
  }
}

/** @throws Error of the system where the file cannot be written */
function write(lines: Iterable<string>, path: string): void {
  const file = openSync(path, 'w', 0o644);
  try {
    for (const line of lines) writeSync(file, line);
  } finally {
    closeSync(file);
  }
}
