/** `seed-database refresh`: the newest run grows up to now. */
import type { SettingName } from '../config/catalog.js';
import { readConfiguration } from '../config/configuration.js';
import { maskSecrets } from '../config/mask.js';
import type { Settings } from '../config/settings.js';
import { explainFailure, withRetry } from '../connect/retry.js';
import { openTarget, type Target } from '../connect/target.js';
import { ExitStatus, usageError } from '../errors.js';
import { refuseWithoutRecords } from '../load/completion.js';
import { runLoad } from '../load/load.js';
import { refuseNoLogFile } from '../output/log-file.js';
import { createReporter } from '../output/reporter.js';
import { Screen } from '../output/screen.js';
import type { LoadSummary, Reporter } from '../output/types.js';
import { jsonText } from '../output/width.js';
import { instantOf, minuteOf } from '../plan/plan.js';
import { nextRefresh, type RefreshStep, refuseUntrimmable, settleRuns } from '../runs/extend.js';
import { drawLoader, refuseWhileHeld } from '../runs/owner.js';
import { RunStore } from '../runs/run-store.js';
import { commandHints, exitStatusOf, failureOf, flagText } from './commands.js';
import { type Interrupts, listenForInterrupts } from './terminal.js';

/** Flags of a refresh that say how it loads. */
const MANNER_SETTINGS = [
  'workers',
  'batchSize',
  'writer',
  'writeConcern',
  'compressors',
  'retrySeconds',
] as const;

export type Flags = Partial<Record<SettingName, string>>;

/**
 * Extends the newest run up to `--end`, or up to the current minute.
 * @param keepDays as typed: days that stay at the new end; undefined keeps all
 */
export async function refresh(flags: Flags, keepDays: string | undefined): Promise<ExitStatus> {
  return withRefreshTarget(flags, keepDays, async (turn) => {
    const { settings } = turn;
    const mask = (text: string) => maskSecrets(text, settings);
    // What is resumed is followed by more, and `--json` prints one object.
    const reporterOf = ({ kind }: RefreshStep) =>
      createReporter(kind === 'resume' ? { ...settings.output, json: false, quiet: true } : settings.output, {
        mask,
        ...commandHints(flags, settings),
        resume: 'refresh',
        resumeFlags:
          flagText(flags, ['end', ...MANNER_SETTINGS]) +
          (keepDays === undefined ? '' : ` --keep-days ${keepDays}`),
      });
    const { status, step, removed } = await refreshOnce(turn, reporterOf);
    if (status !== ExitStatus.done) return status;
    if (step.kind === 'up to date') tellUpToDate(step, settings);
    if (removed > 0)
      tell(settings, `${removed.toLocaleString('en')} records older than ${turn.days} days removed`);
    return status;
  });
}

/** What a refresh works with. */
export interface RefreshTurn {
  /** For looking: what is written goes over connections of its own. */
  readonly target: Target;
  /** Those of the target, which may be a server of our own. */
  readonly settings: Settings;
  readonly days: number | undefined;
  readonly interrupts: Interrupts;
  readonly warn: (message: string) => void;
}

/** What a refresh has come to. */
export interface Refreshed {
  readonly status: ExitStatus;
  /** The last one: where something was resumed, another one follows. */
  readonly step: RefreshStep;
  /** Of the load; undefined where nothing was missing, and where it failed. */
  readonly summary: LoadSummary | undefined;
  /** Why the load failed. Its reporter has been told. */
  readonly error?: unknown;
  /** Records that `--keep-days` has removed. */
  readonly removed: number;
}

/** Opens the target of a refresh, and closes it again whatever happens. */
export async function withRefreshTarget(
  flags: Flags,
  keepDays: string | undefined,
  work: (turn: RefreshTurn) => Promise<ExitStatus>,
): Promise<ExitStatus> {
  const { settings } = readConfiguration({
    flags,
    environment: process.env,
    directory: process.cwd(),
    unused: ['environment'],
  });
  const days = keepDays === undefined ? undefined : wholeDays(keepDays);
  refuseNoLogFile(settings.output.logFile);
  const notices = new Screen(process.stderr, settings.output.color, process.env.TERM);
  const interrupts = listenForInterrupts(
    (message) => notices.note(message),
    (failure) =>
      notices.fail({ ...failure, remedy: 'give the command again: it goes on where this one stopped' }),
  );
  const note = (message: string) => notices.note(message);
  const target = await openTarget(settings.connection, note, interrupts.signal).catch((error) => {
    interrupts.stop();
    throw error;
  });
  const reached = { uri: target.uri, origin: 'named', opening: undefined } as const;
  const connection = { ...settings.connection, ...reached };
  const warn = (message: string) => notices.print([`⚠️  ${message}`], 'warning');
  try {
    return await work({ target, settings: { ...settings, connection }, days, interrupts, warn });
  } catch (error) {
    throw explainFailure(error, (cause) => target.explain(cause));
  } finally {
    interrupts.stop();
    await target.close();
  }
}

/**
 * One refresh, up to now. `reporterOf` tells the load.
 * @throws SeedError where another loader holds the database, and as {@link nextRefresh}; a failure of the load itself is part of the result
 */
export async function refreshOnce(
  turn: RefreshTurn,
  reporterOf: (step: RefreshStep) => Reporter,
): Promise<Refreshed> {
  const { target, settings, days, interrupts, warn } = turn;
  const { books, server } = target;
  const retry = { limitMs: settings.load.retrySeconds * 1000, stopping: () => interrupts.signal.aborted };
  const settling = { books, connection: settings.connection, retry, warn };
  // Whoever holds it may be about to change what would be read here.
  await refuseWhileHeld(new RunStore(books, drawLoader(), retry), warn);
  await settleRuns(settling);
  const until = minuteOf(settings.load.window.end ?? new Date());
  const step = await withRetry(() => nextRefresh(books, until), retry);
  const base = (step.kind === 'resume' ? step.run.extends : undefined) ?? step.run._id;
  await withRetry(() => refuseWithoutRecords(target, base), retry);
  if (days !== undefined) refuseUntrimmable(step.run, server.version);
  const loaded =
    step.kind === 'up to date'
      ? { status: ExitStatus.done, summary: undefined }
      : await loadStep(step, turn, reporterOf(step));
  if (loaded.status !== ExitStatus.done) return { ...loaded, step, removed: 0 };
  const removed = await settleRuns(settling, step.kind === 'resume' ? undefined : days);
  // What was resumed may have had an earlier end.
  if (step.kind === 'resume') return refreshOnce(turn, reporterOf);
  return { ...loaded, step, removed };
}

function tellUpToDate({ run }: RefreshStep, settings: Settings): void {
  const end = run.window.end.toISOString().slice(0, 16).replace('T', ' ');
  if (settings.output.json) process.stdout.write(`${jsonText(upToDateResult(run))}\n`);
  else tell(settings, `✅ Up to date: run ${run._id} reaches up to ${end} UTC`);
}

/** The `--json` object where nothing was missing. */
export function upToDateResult({ _id, seed, layout, window }: RefreshStep['run']): object {
  return { status: 'up to date', runId: _id, seed, layout, window };
}

function tell({ output }: Settings, line: string): void {
  if (output.json) return;
  new Screen(process.stdout, output.color, process.env.TERM).print([line]);
}

/** Loads the missing minutes as the run that is extended would have loaded them. */
async function loadStep(
  step: RefreshStep,
  { settings, target, interrupts }: RefreshTurn,
  reporter: Reporter,
): Promise<Pick<Refreshed, 'status' | 'summary' | 'error'>> {
  const { load, output } = settings;
  const { seed, sections, layout, availabilityScale, environment, shardDays } = step.run;
  const { file, scale = 1, timezone } = step.run.fleet ?? {};
  const loading: Settings = {
    ...settings,
    load: {
      ...load,
      fleet: { source: file, scale, timezone },
      ...{ seed, sections, layout, availabilityScale, environment, shardDays },
      ...(step.kind === 'extend'
        ? {
            existing: 'keep',
            extending: step.run._id,
            window: { days: 1, start: instantOf(step.window.start), end: instantOf(step.window.end) },
          }
        : { existing: 'resume' }),
      given: [],
    },
  };
  try {
    // The load takes a server of our own for one that was named, and that goes on.
    const { server } = target;
    const telling: Reporter = {
      on: (event) => reporter.on(event.type === 'connected' ? { ...event, server } : event),
      finish: (summary) => reporter.finish(summary),
      fail: (failure) => reporter.fail(failure),
      close: () => reporter.close(),
    };
    const loaded = await runLoad(loading, telling, interrupts.signal);
    const summary = { ...loaded, server };
    reporter.finish(summary);
    const status = summary.status === 'interrupted' ? ExitStatus.interrupted : ExitStatus.done;
    return { status, summary };
  } catch (error) {
    reporter.fail(failureOf(error, output.logLevel === 'debug', (text) => maskSecrets(text, settings)));
    return { status: exitStatusOf(error), summary: undefined, error };
  } finally {
    await reporter.close();
  }
}

function wholeDays(text: string): number {
  const days = Number(text);
  if (/^\d{1,5}$/.test(text) && days >= 1 && days <= 36_500) return days;
  throw usageError(`--keep-days "${text}": must be a whole number from 1 to 36500`);
}
