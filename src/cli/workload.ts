/** `seed-database workload`: reads as dashboards do, whose answers are known. */
import type { SettingName } from '../config/catalog.js';
import { readConfiguration } from '../config/configuration.js';
import type { Settings } from '../config/settings.js';
import { maskSecrets } from '../config/uri.js';
import { ExitStatus, usageError } from '../errors.js';
import {
  type ExplainedQuery,
  explainWorkload,
  type QueryFigures,
  readMix,
  type Worked,
  workOn,
} from '../library/workload.js';
import { count, duration, tree } from '../output/format.js';
import { Screen } from '../output/screen.js';
import { jsonText } from '../output/width.js';
import { LiveLine, listenForInterrupts } from './terminal.js';

type Flags = Partial<Record<SettingName, string>>;
type Pulse = Parameters<Parameters<typeof workOn>[1]['onPulse']>[0];

/** What `workload` has besides the flags of a connection, as typed. */
export interface WorkloadFlags {
  readonly run?: string;
  readonly clients?: string;
  readonly requests?: string;
  readonly duration?: string;
  readonly rate?: string;
  readonly mix?: string;
  readonly checkEvery?: string;
  readonly withInserts?: string;
  readonly maxP95?: string;
  readonly maxWrong?: string;
  readonly maxErrors?: string;
  readonly html?: string;
  readonly explain?: boolean;
}

const DEFAULT_CLIENTS = 8;
const DEFAULT_DURATION_MS = 30_000;
/** Above this share of its time a thread has no room to notice an answer at once. */
const TOO_BUSY = 0.9;

export async function workload(flags: Flags, typed: WorkloadFlags): Promise<ExitStatus> {
  const { settings } = readConfiguration({
    flags,
    environment: process.env,
    directory: process.cwd(),
    unused: ['environment'],
  });
  const limits = limitsOf(typed);
  const mix = await readMix(typed.mix);
  const errors = new Screen(process.stderr, settings.output.color, process.env.TERM);
  const inform = (message: string) => errors.note(message);
  if (typed.explain) return explain(settings, typed.run, inform);
  const requests = whole('--requests', typed.requests, 1);
  const insertsPerSecond = whole('--with-inserts', typed.withInserts, 1);
  const durationMs = typed.duration === undefined ? undefined : timeOf('--duration', typed.duration);
  if (insertsPerSecond !== undefined && requests !== undefined && durationMs === undefined) {
    throw usageError('--with-inserts needs --duration: how long to insert');
  }
  const interrupts = listenForInterrupts(inform, (failure) => errors.fail(failure));
  const live = new LiveLine(errors);
  try {
    const worked = await workOn(settings, {
      run: typed.run,
      clients: whole('--clients', typed.clients, 1) ?? DEFAULT_CLIENTS,
      requests,
      durationMs: durationMs ?? (requests === undefined ? DEFAULT_DURATION_MS : undefined),
      rate: whole('--rate', typed.rate, 1),
      mix,
      checkEvery: whole('--check-every', typed.checkEvery, 0) ?? 1,
      insertsPerSecond,
      signal: interrupts.signal,
      inform,
      warn: (message) => errors.print([`⚠️  ${maskSecrets(message, settings)}`], 'warning'),
      onPulse: (pulse) => live.show(pulseText(pulse)),
    });
    live.end();
    const broken = brokenLimits(worked, limits);
    if (typed.html !== undefined) await writeWorkload(typed.html, worked, broken);
    if (settings.output.json) process.stdout.write(`${jsonText({ ...worked, broken })}\n`);
    else {
      const screen = new Screen(process.stdout, settings.output.color, process.env.TERM);
      screen.print(reportLines(worked, broken), broken.length === 0 ? 'good' : 'warning');
      if (typed.html !== undefined) screen.print(['', `🎯 Page written: ${typed.html}`], 'good');
    }
    if (interrupts.signal.aborted) return ExitStatus.interrupted;
    return broken.length === 0 ? ExitStatus.done : ExitStatus.failure;
  } finally {
    live.end();
    interrupts.stop();
  }
}

/** The library that draws is loaded only where a page is asked for. */
async function writeWorkload(path: string, worked: Worked, broken: readonly string[]): Promise<void> {
  const [{ renderWorkload }, { writePage }] = await Promise.all([
    import('../picture/page/workload.js'),
    import('./pictures.js'),
  ]);
  await writePage(path, renderWorkload({ ...worked, broken }));
}

async function explain(
  settings: Settings,
  run: string | undefined,
  inform: (message: string) => void,
): Promise<ExitStatus> {
  const explained = await explainWorkload(settings, run, { inform });
  if (settings.output.json) process.stdout.write(`${jsonText({ queries: explained })}\n`);
  else new Screen(process.stdout, settings.output.color, process.env.TERM).print(explainLines(explained));
  return ExitStatus.done;
}

function explainLines(explained: readonly ExplainedQuery[]): string[] {
  return explained.flatMap(({ query, plan, scansCollection }) => [
    `🔍 ${query}`,
    ...tree([plan, ...(scansCollection ? ['⚠️  reads the whole collection: no index serves it'] : [])]),
  ]);
}

// How much is too much.

interface Limits {
  readonly p95Ms: number | undefined;
  readonly wrong: number;
  readonly errors: number;
}

/** A wrong answer is a failure unless somebody says otherwise, and so is an error. */
function limitsOf({ maxP95, maxWrong, maxErrors }: WorkloadFlags): Limits {
  return {
    p95Ms: maxP95 === undefined ? undefined : timeOf('--max-p95', maxP95),
    wrong: whole('--max-wrong', maxWrong, 0) ?? 0,
    errors: whole('--max-errors', maxErrors, 0) ?? 0,
  };
}

function brokenLimits({ queries }: Worked, limits: Limits): string[] {
  const broken: string[] = [];
  for (const { query, p95Ms, wrong, errors } of queries) {
    if (query !== 'all') {
      if (limits.p95Ms !== undefined && p95Ms > limits.p95Ms) {
        broken.push(`${query}: p95 ${msText(p95Ms)}, more than ${msText(limits.p95Ms)}`);
      }
      continue;
    }
    if (wrong > limits.wrong) broken.push(`${wrong} wrong answers, more than ${limits.wrong}`);
    if (errors > limits.errors) broken.push(`${errors} errors, more than ${limits.errors}`);
  }
  return broken;
}

/** @throws SeedError (usage) */
function whole(flag: string, text: string | undefined, least: number): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(value) && value >= least) return value;
  throw usageError(`${flag} ${text}: must be a whole number from ${least}`);
}

const UNITS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 } as const;

/** @throws SeedError (usage) */
function timeOf(flag: string, text: string): number {
  const [, value, unit] = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(text) ?? [];
  const ms = Number(value) * UNITS[unit as keyof typeof UNITS];
  if (ms > 0) return ms;
  throw usageError(`${flag} ${text}: must be a time such as 500ms, 60s, 5m or 1h`);
}

// What is shown.

function pulseText({ requests, errors, wrong, elapsedMs }: Pulse): string {
  const rate = count(Math.round((requests / elapsedMs) * 1000));
  const bad = `${errors > 0 ? `, ${count(errors)} errors` : ''}${wrong > 0 ? `, ${count(wrong)} wrong` : ''}`;
  return `${duration(elapsedMs)}: ${count(requests)} requests, ${rate}/s${bad}`;
}

const COLUMNS = ['query', 'requests', 'per second', 'p50', 'p95', 'p99', 'max', 'errors', 'wrong'] as const;

function reportLines(worked: Worked, broken: readonly string[]): string[] {
  const { queries, elapsedMs, clients, threads, busiestThread, inserted } = worked;
  const rows = [COLUMNS, ...queries.map(cellsOf)];
  const widths = COLUMNS.map((_, i) => Math.max(...rows.map((row) => row[i].length)));
  const lines = rows.map((row) =>
    row
      .map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i])))
      .join('  ')
      .trimEnd(),
  );
  const all = queries.at(-1);
  const examples = queries
    .slice(0, -1)
    .flatMap(({ query, examples: some }) => some.map((one) => `${query}: ${one}`));
  const headline =
    broken.length > 0
      ? `❌ ${broken.join('; ')}`
      : `✅ ${count(all?.checked ?? 0)} of ${count(all?.requests ?? 0)} answers compared, ${count(all?.wrong ?? 0)} wrong`;
  return [
    headline,
    ...tree([
      `${clients} clients in ${threads} threads, ${duration(elapsedMs)}`,
      ...(inserted > 0 ? [`${count(inserted)} records loaded beside them`] : []),
      ...(busiestThread >= TOO_BUSY
        ? [`This program was the limit: a thread was busy ${Math.round(busiestThread * 100)}% of the time`]
        : []),
      ...examples,
    ]),
    '',
    ...lines,
  ];
}

function cellsOf(figures: QueryFigures): string[] {
  const { query, requests, perSecond, p50Ms, p95Ms, p99Ms, maxMs, errors, wrong } = figures;
  return [
    query,
    count(requests),
    count(Math.round(perSecond)),
    ...[p50Ms, p95Ms, p99Ms, maxMs].map(msText),
    count(errors),
    count(wrong),
  ];
}

function msText(ms: number): string {
  return `${ms < 10 ? ms.toFixed(2) : ms.toFixed(1)}ms`;
}
