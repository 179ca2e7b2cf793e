/** `seed-database answers`: what a dashboard, a report or an alert has to find in a dataset. */
import { closeSync, openSync, writeSync } from 'node:fs';
import type { SettingName } from '../config/catalog.js';
import { readConfiguration } from '../config/configuration.js';
import type { ANSWER_TABLES } from '../config/settings.js';
import { csvLine, EVENT_COLUMNS, eventLine } from '../csv.js';
import { ExitStatus, usageError } from '../errors.js';
import { type Described, describedDataset, knownAnswers, knownEvents } from '../library/answers.js';
import { Screen } from '../output/screen.js';
import { toStandardOutput } from './terminal.js';

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
