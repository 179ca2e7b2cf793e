/** What a load says while it runs, as trees. Pure: events in, lines out. */
import { type Branch, bytes, count, counted, period, sections, span, tree } from './format.js';
import type { AssetCounts, LoadStarted, LoadSummary, SectionCounts, ServerInfo } from './types.js';

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
