/** What a database holds, as trees. Pure. */

import { type Branch, columns, count, counted, duration, period, tree, utcTime } from './format.js';
import { connectedLines, total } from './load-text.js';
import { PROGRAM } from './shell.js';
import { type CommandHints, databaseSize } from './summary-text.js';
import type { LoadSummary, SectionCounts, ServerInfo } from './types.js';
import { oneLine } from './width.js';

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

export function assetLines(byType: Readonly<Record<string, number>>): string[] {
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
