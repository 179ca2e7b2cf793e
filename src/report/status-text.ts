/** What a database holds, as trees. Pure. */
import { databaseSize } from './ending.js';
import { clock, count, duration, localTime, oneLine, period } from './format.js';
import { connectedLines, total } from './story.js';
import { type Branch, columns, tree } from './tree.js';
import type { LoadSummary, SectionCounts, ServerInfo } from './types.js';

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
  readonly silentMs: number | undefined;
  readonly host: string;
  readonly pid: number;
  readonly version: string;
}

export type StoredRun = RunText | { readonly runId: string; readonly problem: string };

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
export function runLines(runs: readonly StoredRun[]): string[] {
  const shown: Branch[] = runs.slice(0, RUNS_SHOWN).map(runBranch);
  if (runs.length > RUNS_SHOWN) shown.push(`and ${count(runs.length - RUNS_SHOWN)} older`);
  return ['🚀 Runs', ...tree(shown.length > 0 ? shown : ['none'])];
}

export function assetLines(byType: Readonly<Record<string, number>>): string[] {
  return ['🏗️  Assets by type', ...countTree(byType)];
}

export function metricLines(byMetric: Readonly<Record<string, number>>): string[] {
  return ['📈 Records by metric', ...countTree(byMetric)];
}

function runBranch(run: StoredRun): Branch {
  if ('problem' in run) return [run.runId, [`⚠️  ${oneLine(run.problem)}`]];
  const planned = total(run.planned);
  const { startedAt, finishedAt } = run;
  const ended = finishedAt ? `, ended ${clock(finishedAt, startedAt)}` : '';
  const details = [
    `${count(run.records)} of ${count(planned)} records, ${count(run.shards.done)} of ${count(run.shards.total)} shards`,
    `seed ${run.seed}, layout ${run.layout}, ${period(run.window)}${sectionsOf(run)}`,
    `started ${localTime(startedAt)}${ended}, version ${run.version}`,
  ];
  if (run.silentMs !== undefined) {
    details.push(
      `held by process ${run.pid} on ${run.host}, last heard of ${duration(Math.max(0, run.silentMs))} ago`,
    );
  } else if (run.state !== 'complete') details.push('seed-database --resume finishes it');
  return [`${run.runId}: ${run.state}`, details];
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
