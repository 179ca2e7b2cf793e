/**
 * `seed-database refresh` and `seed-database follow`: the newest run grows up to now, once or every
 * minute.
 */
import { Writable } from 'node:stream';
import type { SettingName } from '../config/catalog.js';
import { readConfiguration } from '../config/configuration.js';
import type { Settings } from '../config/settings.js';
import { maskSecrets } from '../config/uri.js';
import { ExitStatus, usageError } from '../errors.js';
import {
  followRun,
  type Refreshed,
  type RefreshOptions,
  type RunOfLoad,
  refreshRun,
} from '../library/refresh.js';
import { count, utcMinute } from '../output/format.js';
import { defaultLogFile, refuseNoLogFile } from '../output/log-file.js';
import { createReporter, loadResult } from '../output/reporter.js';
import { Screen } from '../output/screen.js';
import type { LoadSummary, Reporter } from '../output/types.js';
import { jsonText } from '../output/width.js';
import { commandHints, exitStatusOf, failureOf, flagText } from './commands.js';
import { listenForInterrupts } from './terminal.js';

/** Flags of a refresh that say how it loads. */
const MANNER_SETTINGS = [
  'workers',
  'batchSize',
  'rate',
  'writer',
  'writeConcern',
  'compressors',
  'retrySeconds',
] as const;

type Flags = Partial<Record<SettingName, string>>;

/** A load that failed, and whose failure has been printed. */
class ToldFailure extends Error {
  constructor(readonly error: unknown) {
    super('the failure of a load has been printed', { cause: error });
  }
}

/**
 * Extends the newest run up to `--end`, or up to the current minute.
 * @param keepDays as typed: days that stay at the new end; undefined keeps all
 */
export async function refresh(flags: Flags, keepDays: string | undefined): Promise<ExitStatus> {
  return withOptions(flags, keepDays, async (settings, options) => {
    const { status, step, removed } = await refreshRun(settings, {
      ...options,
      // What is resumed is followed by more, and `--json` prints one object.
      tell: ({ kind }, run) => told(run, settings, reporterOf(flags, keepDays, settings, kind === 'resume')),
    });
    if (status === 'interrupted') return ExitStatus.interrupted;
    if (status === 'up to date') tellUpToDate(step.run, settings);
    if (removed > 0)
      print(settings, `${removed.toLocaleString('en')} records older than ${keepDays} days removed`);
    return ExitStatus.done;
  });
}

/**
 * Refreshes minute by minute, a line for each, until it is stopped, which is its regular end.
 * @param keepDays as for {@link refresh}
 */
export async function follow(flags: Flags, keepDays: string | undefined): Promise<ExitStatus> {
  return withOptions(flags, keepDays, async (settings, options) => {
    const logged = loggingReporters(settings);
    await followRun(
      settings,
      { ...options, tell: (_step, run) => told(run, settings, logged(), false) },
      (outcome) => tellRefreshed(outcome, settings),
    );
    return ExitStatus.done;
  });
}

/** Reads the flags, listens for signals, and says what goes wrong unless that has been said. */
async function withOptions(
  flags: Flags,
  keepDays: string | undefined,
  work: (settings: Settings, options: Omit<RefreshOptions, 'tell'>) => Promise<ExitStatus>,
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
  const inform = (message: string) => notices.note(message);
  const warn = (message: string) => notices.print([`⚠️  ${maskSecrets(message, settings)}`], 'warning');
  const interrupts = listenForInterrupts(inform, (failure) =>
    notices.fail({ ...failure, remedy: 'give the command again: it goes on where this one stopped' }),
  );
  try {
    return await work(settings, { keepDays: days, signal: interrupts.signal, inform, warn });
  } catch (error) {
    if (error instanceof ToldFailure) return exitStatusOf(error.error);
    throw error;
  } finally {
    interrupts.stop();
  }
}

/**
 * Has a load told by a reporter.
 * @param rethrow what is thrown where it fails: by default that it has been told
 */
async function told(
  run: RunOfLoad,
  settings: Settings,
  reporter: Reporter,
  isPrinted = true,
): Promise<LoadSummary> {
  try {
    const summary = await run(reporter);
    reporter.finish(summary);
    return summary;
  } catch (error) {
    const mask = (text: string) => maskSecrets(text, settings);
    reporter.fail(failureOf(error, settings.output.logLevel === 'debug', mask));
    throw isPrinted ? new ToldFailure(error) : error;
  } finally {
    await reporter.close();
  }
}

function reporterOf(
  flags: Flags,
  keepDays: string | undefined,
  settings: Settings,
  isQuiet: boolean,
): Reporter {
  const output = isQuiet ? { ...settings.output, json: false, quiet: true } : settings.output;
  return createReporter(output, {
    mask: (text) => maskSecrets(text, settings),
    ...commandHints(flags, settings),
    resume: 'refresh',
    resumeFlags:
      flagText(flags, ['end', ...MANNER_SETTINGS]) +
      (keepDays === undefined ? '' : ` --keep-days ${keepDays}`),
  });
}

/** Loads are told to the log alone, and all to the same one. */
function loggingReporters(settings: Settings): () => Reporter {
  const logFile = settings.output.logFile ?? defaultLogFile(new Date());
  const output = { ...settings.output, logFile, quiet: true, json: false };
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const mask = (text: string) => maskSecrets(text, settings);
  return () => createReporter(output, { stdout: nowhere, stderr: nowhere, mask });
}

type StoredRun = Refreshed['step']['run'];

function tellUpToDate(run: StoredRun, settings: Settings): void {
  if (settings.output.json) process.stdout.write(`${jsonText(upToDateResult(run))}\n`);
  else print(settings, `✅ Up to date: run ${run._id} reaches up to ${utcMinute(run.window.end)} UTC`);
}

/** One line a refresh; with `--json` one object, with `--quiet` nothing. */
function tellRefreshed({ step, summary, removed }: Refreshed, settings: Settings): void {
  const { json, quiet } = settings.output;
  if (json) {
    const result = summary ? loadResult(summary) : upToDateResult(step.run);
    process.stdout.write(`${jsonText(result)}\n`);
    return;
  }
  if (quiet) return;
  const { end } = summary?.window ?? step.run.window;
  const added = count(summary?.records.inserted ?? 0);
  const gone = removed > 0 ? `, ${count(removed)} old ones removed` : '';
  const time = new Date().toISOString().slice(11, 19);
  print(settings, `${time} UTC: ${added} records added${gone}, up to ${utcMinute(end)} UTC`);
}

/** The `--json` object where nothing was missing. */
function upToDateResult({ _id, seed, layout, window }: StoredRun): object {
  return { status: 'up to date', runId: _id, seed, layout, window };
}

function print({ output }: Settings, line: string): void {
  if (output.json) return;
  new Screen(process.stdout, output.color, process.env.TERM).print([line]);
}

function wholeDays(text: string): number {
  const days = Number(text);
  if (/^\d{1,5}$/.test(text) && days >= 1 && days <= 36_500) return days;
  throw usageError(`--keep-days "${text}": must be a whole number from 1 to 36500`);
}
