/** What a load says while it runs, and what a database holds, as trees. Pure. */
import {
  type Branch,
  bytes,
  columns,
  count,
  counted,
  duration,
  period,
  sections,
  span,
  tree,
  utcTime,
} from './format.js';
import { PROGRAM } from './shell.js';
import { type CommandHints, databaseSize } from './summary-text.js';
import type { AssetCounts, LoadStarted, LoadSummary, SectionCounts, ServerInfo } from './types.js';
import { oneLine } from './width.js';

export const TITLE = '🚀 Filling MongoDB with infrastructure telemetry';

export function connectedLines(server: ServerInfo, database: string): string[] {
  const embedded = server.embedded ? ' (embedded)' : '';
  return [
    `✅ Connected to MongoDB ${server.version}${embedded}`,
    ...tree([`URI: ${server.uri}`, `Database: ${database}`]),
  ];
}

export function cleanedLines(collections: readonly string[]): string[] {
  return ['✅ Cleaned: these collections were removed', ...tree([collections.join(', ')])];
}

/** The configuration, and where a run goes on what is there already. */
export function startedLines(started: LoadStarted): string[] {
  const { assets, days, batchSize, workers, layout, seed, seedGiven, resumed, shards } = started;
  const figures = [
    counted(assets.machines, 'machine'),
    span(days),
    `batch ${count(batchSize)}`,
    counted(workers, 'worker'),
    ...(started.rate === undefined ? [] : [`at most ${count(started.rate)} records/s`]),
  ];
  const seedText = seedGiven || resumed ? `seed ${seed}` : `seed ${seed} (drawn)`;
  const branches: Branch[] = [`layout ${layout}, ${seedText}`];
  if (started.sections.length === 0) branches.push('assets only, no records');
  else if (started.sections.length < 3) branches.push(`only ${started.sections.join(' and ')}`);
  if (started.availabilityScale === 'unit') branches.push('availability from 0 to 1');
  if (resumed) {
    const there = `${count(started.recordsBefore)} of ${count(total(started.planned))} records`;
    branches.push(`resuming: ${there} are there (${shards.skipped} of ${counted(shards.total, 'shard')})`);
  }
  return [`📊 Configuration: ${figures.join(', ')}`, ...tree(branches)];
}

export function assetLines(assets: AssetCounts): string[] {
  const branches = [
    counted(assets.machines, 'machine'),
    counted(assets.services, 'service'),
    counted(assets.jobs, 'backup job'),
  ];
  // Two blanks: terminals disagree about the width of this one.
  return ['🏗️  Infrastructure assets written', ...tree(branches)];
}

/** The heading of the records; the tree is left open for the progress below it. */
export function recordLines({ window, planned }: LoadStarted): string[] {
  const records = `${count(total(planned))} (${sections(planned)})`;
  const open = tree([`Period: ${period(window)}`, `Records: ${records}`, '']);
  return ['📈 Generating records', ...open.slice(0, -1)];
}

export function total({ metrics, polling, backup }: SectionCounts): number {
  return metrics + polling + backup;
}

// What a load would do, as a tree. Pure.

/** The plan of a load that nobody has started. */
export interface PlannedLoad {
  /** What a load would warn of. */
  readonly notices?: readonly string[];
  /** Records that the server would remove at once. */
  readonly expired?: number;
  /** Undefined: one will be drawn. */
  readonly seed: number | undefined;
  readonly layout: string;
  readonly window: LoadSummary['window'];
  readonly days: number;
  readonly assets: AssetCounts;
  readonly records: SectionCounts;
  readonly shards: number;
  readonly shardDays: number;
  readonly batchSize: number;
  readonly size: {
    readonly documentBytes: number;
    readonly storageBytes: number;
    readonly indexBytes: number;
  };
}

export function dryRunLines(preview: PlannedLoad): string[] {
  const { assets, records, size, layout, seed } = preview;
  const kinds = [
    counted(assets.machines, 'machine'),
    counted(assets.services, 'service'),
    counted(assets.jobs, 'backup job'),
  ];
  const branches: Branch[] = [
    `Seed: ${seed ?? 'drawn when the load starts'}`,
    `Period: ${period(preview.window)} (${span(preview.days)})`,
    `Assets: ${count(assets.total)} (${kinds.join(' + ')})`,
    [
      `Records: ${count(total(records))}`,
      [
        `metrics ${count(records.metrics)}`,
        `polling ${count(records.polling)}`,
        `backups ${count(records.backup)}`,
      ],
    ],
    `Work: ${counted(preview.shards, 'shard')} of up to ${counted(preview.shardDays, 'day')}, batch ${count(preview.batchSize)}`,
    [
      `Size: ${bytes(size.documentBytes)} of documents, layout ${layout}`,
      [`on disk about ${bytes(size.storageBytes)}, and ${bytes(size.indexBytes)} of indexes`],
    ],
    ...(preview.notices ?? []),
  ];
  return [
    '📊 Plan of the load',
    ...tree(branches),
    '',
    '🎯 Dry run: nothing was connected to, nothing written',
  ];
}

// What a database holds, as trees.

/** A run as far as its text goes. */
export interface RunText {
  readonly runId: string;
  readonly state: string;
  readonly seed: number;
  readonly layout: string;
  readonly window: LoadSummary['window'];
  readonly sections: readonly string[];
  readonly planned: SectionCounts;
  readonly records: number;
  readonly shards: { readonly total: number; readonly done: number };
  readonly startedAt: Date;
  readonly finishedAt?: Date | undefined;
  /** It was stopped while `--clean` removed what was there before. */
  readonly cleaning?: true | undefined;
  readonly silentMs: number | undefined;
  readonly host: string;
  readonly pid: number;
  readonly version: string;
  /** Of a run that several loaders share. */
  readonly parts?:
    | {
        readonly count: number;
        readonly begun: readonly {
          readonly part: number;
          readonly state: string;
          readonly host: string;
          readonly pid: number;
          readonly silentMs: number | undefined;
        }[];
      }
    | undefined;
}

export type StoredRun = RunText | { readonly runId: string; readonly problem: string };

/** What a command that resumes is made of. */
export type ResumeHints = Pick<CommandHints, 'program' | 'connectionFlags' | 'beside'>;

const NO_FLAGS: ResumeHints = { program: PROGRAM, connectionFlags: '', beside: '' };

/** Runs shown in full; older ones are counted. */
const RUNS_SHOWN = 5;

export function serverLines(server: ServerInfo, database: string): string[] {
  return connectedLines(server, database);
}

/** Sizes, and documents by collection. */
export function databaseLines(database: LoadSummary['database']): string[] {
  const collections = columns(counts(database.collections));
  const branches: Branch[] = [`Size: ${databaseSize(database)}`];
  branches.push(collections.length > 0 ? ['Documents', collections] : 'Nothing of this program yet');
  return ['📊 Database statistics', ...tree(branches)];
}

/** The runs, newest first, with what to do about those that are not complete. */
export function runLines(runs: readonly StoredRun[], hints: ResumeHints = NO_FLAGS): string[] {
  const shown: Branch[] = runs.slice(0, RUNS_SHOWN).map((run) => runBranch(run, hints));
  if (runs.length > RUNS_SHOWN) shown.push(`and ${count(runs.length - RUNS_SHOWN)} older`);
  return ['🚀 Runs', ...tree(shown.length > 0 ? shown : ['none'])];
}

export function storedAssetLines(byType: Readonly<Record<string, number>>): string[] {
  return ['🏗️  Assets by type', ...countTree(byType)];
}

export function metricLines(byMetric: Readonly<Record<string, number>>): string[] {
  return ['📈 Records by metric', ...countTree(byMetric)];
}

function runBranch(run: StoredRun, hints: ResumeHints): Branch {
  if ('problem' in run) return [run.runId, [`⚠️  ${oneLine(run.problem)}`]];
  const planned = total(run.planned);
  const { startedAt, finishedAt } = run;
  const [day, time] = finishedAt ? utcTime(finishedAt).split(' ') : [];
  const ended = finishedAt
    ? `, ended ${utcTime(startedAt).startsWith(`${day} `) ? time : `${day} ${time}`}`
    : '';
  const details: Branch[] = [
    `${count(run.records)} of ${count(planned)} records, ${count(run.shards.done)} of ${count(run.shards.total)} shards`,
    `seed ${run.seed}, layout ${run.layout}, ${period(run.window)}${sectionsOf(run)}`,
    `started ${utcTime(startedAt)}${ended} UTC, version ${run.version}`,
  ];
  if (run.parts) details.push(partsBranch(run.parts, hints));
  else if (run.silentMs !== undefined) details.push(heldBy({ ...run, silentMs: run.silentMs }));
  else if (run.state !== 'complete') {
    if (run.cleaning) details.push(`it ${STOPPED_CLEANING}`);
    details.push(resumeText(hints));
  }
  return [`${run.runId}: ${run.state}`, details];
}

/** Importing it from where runs are read would be more than this room may. */
export const STOPPED_CLEANING =
  'was stopped while it removed the data of this database: resuming it removes what is left of them';

function resumeText({ program, connectionFlags, beside }: ResumeHints, part = ''): string {
  return `finish it with${beside}: ${program} --resume${part}${connectionFlags}`;
}

function heldBy({ host, pid, silentMs }: { host: string; pid: number; silentMs: number }): string {
  return `held by process ${pid} on ${host}, last seen ${duration(Math.max(0, silentMs))} ago`;
}

function partsBranch({ count: planned, begun }: NonNullable<RunText['parts']>, hints: ResumeHints): Branch {
  const lines = begun.map(({ silentMs, ...part }) => {
    const held = silentMs === undefined ? '' : `, ${heldBy({ ...part, silentMs })}`;
    const resume = `; ${resumeText(hints, ` --parts ${planned} --part ${part.part}`)}`;
    const waits = silentMs === undefined && part.state !== 'complete' ? resume : '';
    return `part ${part.part}: ${part.state}${held}${waits}`;
  });
  const missing = planned - begun.length;
  if (missing > 0) lines.push(`${counted(missing, 'part')} not begun`);
  return [`shared by ${planned} loaders`, lines];
}

function sectionsOf({ sections }: RunText): string {
  if (sections.length === 3) return '';
  return sections.length === 0 ? ', assets only' : `, only ${sections.join(' and ')}`;
}

function countTree(byName: Readonly<Record<string, number>>): string[] {
  const rows = counts(byName);
  return tree(rows.length > 0 ? columns(rows) : ['none']);
}

function counts(byName: Readonly<Record<string, number>>): [string, string][] {
  return Object.entries(byName)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => [name, count(value)]);
}
