/** What a load would do, as a tree. Pure. */
import { bytes, count, counted, period, span } from './format.js';
import { total } from './story.js';
import { type Branch, tree } from './tree.js';
import type { AssetCounts, LoadSummary, SectionCounts } from './types.js';

/** The plan of a load that nobody has started. */
export interface Preview {
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

export function previewLines(preview: Preview): string[] {
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
  ];
  return [
    '📊 Plan of the load',
    ...tree(branches),
    '',
    '🎯 Dry run: nothing was connected to, nothing written',
  ];
}
