/** How a load ended, as trees. Pure: a summary in, lines out. */
import { type Branch, bytes, count, counted, duration, period, tree } from './format.js';
import { shellWord, withoutMasked } from './shell.js';
import type { Failure, InsertLatency, LoadSummary, PartState } from './types.js';

/** What commands are made of that can be given next. */
export interface CommandHints {
  /** How the program was called. */
  readonly program: string;
  /**
   * Flags that make another command reach the same database, each with a space before it; without
   * secrets.
   */
  readonly connectionFlags: string;
  /**
   * What has to be given besides, such as a password in a variable, in brackets with a space before
   * them; empty where nothing has.
   */
  readonly beside: string;
  /** Flags that the database's own shell needs, likewise. */
  readonly mongoshFlags: string;
}

/** What the ending tells besides the summary. */
export interface Hints extends CommandHints {
  /** What resumes: the command or its flag. */
  readonly resume: string;
  /** Further flags that resuming needs, each with a space before it. */
  readonly resumeFlags: string;
  /** Undefined where there is none. */
  readonly logFile: string | undefined;
}

/**
 * Exit statuses of failures that are not about this run's data: a usage error, a run that somebody
 * else has.
 */
const NOT_RESUMABLE: readonly number[] = [2, 5];

/** The lines of an ending. */
export function endingLines(summary: LoadSummary, hints: Hints): string[] {
  switch (summary.status) {
    case 'complete':
    case 'part complete':
    case 'already complete':
      return [headline(summary), '', ...statistics(summary, hints), '', goal(summary)];
    case 'nothing to resume':
      return [finalLine(summary, hints)];
    case 'interrupted':
      return [
        `⚠️  Interrupted after ${duration(summary.elapsedMs)}`,
        ...tree([
          `${ofPlan(summary.records.inserted, summary.records.planned)} records are safe`,
          `${ofPlan(summary.shards.done, summary.shards.total)} shards are done`,
          ...retries(summary),
          ...log(hints),
        ]),
        '',
        ...(isMeasurement(summary) ? [] : [`🎯 Continue with${hints.beside}: ${resumeCommand(hints)}`]),
      ];
  }
}

/** The one line that says all, which `--quiet` prints alone. */
export function finalLine(summary: LoadSummary, hints: Hints): string {
  const { records, seed, database } = summary;
  const there = records.planned === 0 ? 'assets' : `${ofPlan(records.inserted, records.planned)} records`;
  switch (summary.status) {
    case 'complete':
      return `${goal(summary)} ${there}, seed ${seed}, in ${duration(summary.elapsedMs)}`;
    case 'part complete':
      return `${headline(summary)}: ${there}, seed ${seed}`;
    case 'already complete':
      return `${goal(summary)} Already complete: ${there}, seed ${seed}`;
    case 'nothing to resume':
      return `✅ Nothing to resume: database ${database.name} holds no unfinished run`;
    case 'interrupted': {
      const safe = `⚠️  Interrupted: ${there}`;
      return isMeasurement(summary)
        ? safe
        : `${safe} are safe; continue with${hints.beside}: ${resumeCommand(hints)}`;
    }
  }
}

/** A failure's way out, which for a run that has begun ends with how to resume it. */
export function withResumeHint(failure: Failure, begun: boolean, hints: Hints): Failure {
  const resumable = begun && !NOT_RESUMABLE.includes(failure.exitStatus);
  if (!resumable) return failure;
  const hint = `continue with${hints.beside}: ${resumeCommand(hints)}`;
  // Some say it already, without what the command needs to find this run again.
  if (failure.remedy.includes('--resume')) {
    return {
      ...failure,
      remedy: failure.remedy.replace(/(?:continue with )?--resume(?: goes on with run \w+)?$/, hint),
    };
  }
  return { ...failure, remedy: failure.remedy ? `${failure.remedy}; then ${hint}` : hint };
}

/** `--writer none` has no server. */
function isMeasurement({ server }: LoadSummary): boolean {
  return server.version === '';
}

function goal(summary: LoadSummary): string {
  if (summary.status === 'part complete') {
    return '🎯 The dataset is complete when all parts are: load the others with the same options and their own --part';
  }
  return isMeasurement(summary) ? '🎯 Measured, nothing written!' : '🎯 Database ready to use!';
}

function headline({ status, resumed, elapsedMs, records, part, parts = [] }: LoadSummary): string {
  if (status === 'part complete' && part) {
    return `✅ Part ${part.number} of ${part.of} is done in ${duration(elapsedMs)}; ${waitingParts(parts)}`;
  }
  if (status === 'already complete') return '✅ Already complete: this dataset is there, nothing was written';
  const what = records.planned === 0 ? 'Assets written' : resumed ? 'Resumed load complete' : 'Load complete';
  return `✅ ${what} in ${duration(elapsedMs)}`;
}

function statistics(summary: LoadSummary, hints: Hints): string[] {
  const { records, plannedBySection: planned, assets, loader } = summary;
  const kinds = [
    counted(assets.machines, 'machine'),
    counted(assets.services, 'service'),
    counted(assets.jobs, 'backup job'),
  ];
  const branches: Branch[] = [
    ...(summary.status === 'complete' || summary.status === 'part complete'
      ? [`Total time: ${duration(summary.elapsedMs)}`]
      : []),
    `Assets: ${count(assets.total)} (${kinds.join(' + ')})`,
  ];
  if (records.planned > 0) {
    const bySection: Branch[] = [];
    if (planned.metrics > 0) bySection.push(`metrics ${ofPlan(records.metrics, planned.metrics)}`);
    if (planned.polling > 0) bySection.push(`polling ${ofPlan(records.polling, planned.polling)}`);
    if (planned.backup > 0) bySection.push(`backups ${ofPlan(records.backup, planned.backup)}`);
    branches.push([`Records: ${ofPlan(records.inserted, records.planned)} planned`, bySection]);
    if (summary.expired)
      branches.push(`Expired: ${count(summary.expired)} of them, which the server removes`);
  }
  if (summary.recordsPerSecond > 0) branches.push(`Rate: ${count(summary.recordsPerSecond)} records/s`);
  if (summary.inserts) branches.push(`Inserts: ${latency(summary.inserts)}`);
  if (!isMeasurement(summary)) branches.push(`Database size: ${databaseSize(summary.database)}`);
  branches.push(`Period: ${period(summary.window)}`, `Seed: ${summary.seed}`, ...retries(summary));
  const { kind, reason } = loader.writer;
  if (reason !== undefined && kind === 'bulkwrite') branches.push(`Writer: ${kind}, since ${reason}`);
  branches.push(...log(hints), ...(isMeasurement(summary) ? [] : lookAtIt(summary, hints)));
  return ['📊 Final statistics', ...tree(branches)];
}

/** `1,896, p50 2.1ms, p95 4.0ms, p99 6.2ms, max 15.3ms`. */
function latency({ count: inserts, p50Ms, p95Ms, p99Ms, maxMs }: InsertLatency): string {
  const ms = (value: number) => `${value.toFixed(1)}ms`;
  return `${count(inserts)}, p50 ${ms(p50Ms)}, p95 ${ms(p95Ms)}, p99 ${ms(p99Ms)}, max ${ms(maxMs)}`;
}

/** `45.2 MB data, 12.0 MB storage, 9.0 MB indexes`. */
export function databaseSize(database: {
  readonly dataSizeBytes: number;
  readonly storageSizeBytes: number;
  readonly indexSizeBytes: number;
}): string {
  const { dataSizeBytes, storageSizeBytes, indexSizeBytes } = database;
  return `${bytes(dataSizeBytes)} data, ${bytes(storageSizeBytes)} storage, ${bytes(indexSizeBytes)} indexes`;
}

function lookAtIt({ server, database }: LoadSummary, hints: Hints): Branch[] {
  const { program, connectionFlags, beside, mongoshFlags } = hints;
  const check = `Check${beside}: ${program} status${connectionFlags}`;
  // The embedded server ends with its last user, and its next port may be another one.
  if (server.embedded) return [[`Open: ${program} serve`, ['it prints the URI for mongosh']], check];
  const uri = withoutMasked(withDatabase(server.uri, database.name));
  return [`Open: mongosh ${shellWord(uri)}${mongoshFlags}`, check];
}

/** A connection string that names the database, unless it names one. */
function withDatabase(uri: string, database: string): string {
  const [, address, path = '', query = ''] = /^([a-z+]+:\/\/[^/?]*)(\/[^?]*)?(\?.*)?$/i.exec(uri) ?? [];
  if (address === undefined || path.length > 1) return uri;
  return `${address}/${encodeURIComponent(database)}${query}`;
}

function resumeCommand({ program, resume, resumeFlags, connectionFlags }: Hints): string {
  return `${program} ${resume}${resumeFlags}${connectionFlags}`;
}

function ofPlan(done: number, planned: number): string {
  return `${count(done)} of ${count(planned)}`;
}

function retries({ retries }: LoadSummary): string[] {
  return retries > 0 ? [`Retries: ${count(retries)}`] : [];
}

function log({ logFile }: Hints): string[] {
  return logFile === undefined ? [] : [`Log: ${logFile}`];
}

// How the parts of a shared run stand, in words. Pure.

const WORDS: Readonly<
  Record<Exclude<PartState['state'], 'complete'>, readonly [one: string, several: string]>
> = {
  loading: ['is loading', 'are loading'],
  interrupted: ['is interrupted', 'are interrupted'],
  failed: ['has failed', 'have failed'],
  'not begun': ['has not begun', 'have not begun'],
};

/** `part 2 is loading; parts 3 and 4 have not begun`: those that are not complete. */
function waitingParts(parts: readonly PartState[]): string {
  const texts: string[] = [];
  for (const [state, [one, several]] of Object.entries(WORDS)) {
    const numbers = parts.filter((part) => part.state === state).map(({ part }) => part);
    if (numbers.length === 1) texts.push(`part ${numbers[0]} ${one}`);
    if (numbers.length > 1) texts.push(`parts ${listed(numbers)} ${several}`);
  }
  return texts.join('; ');
}

function listed(numbers: readonly number[]): string {
  return `${numbers.slice(0, -1).join(', ')} and ${numbers[numbers.length - 1]}`;
}
