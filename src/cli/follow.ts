/** `seed-database follow`: a refresh every minute and a line for each, until it is stopped. */
import { Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { maskSecrets } from '../config/mask.js';
import { explainFailure } from '../connect/retry.js';
import { ExitStatus } from '../errors.js';
import { count, utcMinute } from '../output/format.js';
import { defaultLogFile } from '../output/log-file.js';
import { createReporter, loadResult } from '../output/reporter.js';
import { Screen } from '../output/screen.js';
import type { Reporter } from '../output/types.js';
import { jsonText } from '../output/width.js';
import { DatabaseHeld } from '../runs/owner.js';
import { exitStatusOf, failureOf } from './commands.js';
import {
  type Flags,
  type Refreshed,
  type RefreshTurn,
  refreshOnce,
  upToDateResult,
  withRefreshTarget,
} from './refresh.js';

const MS_PER_MINUTE = 60_000;
const RETRY_PAUSE_MS = 1_000;

/**
 * Refreshes minute by minute until it is stopped, which is its regular end. A server that is away is tried again, and a database that
 * another loader holds is left to it until the next minute.
 * @param keepDays as for `refresh`
 */
export async function follow(flags: Flags, keepDays: string | undefined): Promise<ExitStatus> {
  return withRefreshTarget(flags, keepDays, async (turn) => {
    const { signal } = turn.interrupts;
    const reporterOf = loggingReporters(turn);
    while (!signal.aborted) {
      const refreshed = await refreshPatiently(turn, reporterOf);
      if (refreshed?.status === ExitStatus.done) tell(refreshed, turn);
      // A second into the next minute, when the minute before it is over.
      await pause(MS_PER_MINUTE + 1_000 - (Date.now() % MS_PER_MINUTE), signal);
    }
    return ExitStatus.done;
  });
}

/** Undefined where this turn is left out. @throws SeedError where it does not help to try again */
async function refreshPatiently(
  turn: RefreshTurn,
  reporterOf: () => Reporter,
): Promise<Refreshed | undefined> {
  const { settings, interrupts, warn } = turn;
  const { retrySeconds } = settings.load;
  const began = performance.now();
  for (let told = false; ; told = true) {
    const outcome = await attempt(turn, reporterOf);
    if ('refreshed' in outcome) return outcome.refreshed;
    const { error } = outcome;
    if (interrupts.signal.aborted) return undefined;
    const { message } = failureOf(error, false, (text) => maskSecrets(text, settings));
    if (error instanceof DatabaseHeld) {
      warn(`${message}; trying again at the next minute`);
      return undefined;
    }
    const isAway = exitStatusOf(error) === ExitStatus.cannotConnect;
    if (!isAway || performance.now() - began > retrySeconds * 1000) throw error;
    if (!told) warn(`${message}; trying again for up to ${retrySeconds} s`);
    await pause(RETRY_PAUSE_MS, interrupts.signal);
  }
}

type Outcome = { readonly refreshed: Refreshed } | { readonly error: unknown };

async function attempt(turn: RefreshTurn, reporterOf: () => Reporter): Promise<Outcome> {
  try {
    const refreshed = await refreshOnce(turn, reporterOf);
    return refreshed.error === undefined ? { refreshed } : { error: refreshed.error };
  } catch (error) {
    return { error: explainFailure(error, (cause) => turn.target.explain(cause)) };
  }
}

/** Loads are told to the log alone, and all to the same one. */
function loggingReporters({ settings }: RefreshTurn): () => Reporter {
  const logFile = settings.output.logFile ?? defaultLogFile(new Date());
  const output = { ...settings.output, logFile, quiet: true, json: false };
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const mask = (text: string) => maskSecrets(text, settings);
  return () => createReporter(output, { stdout: nowhere, stderr: nowhere, mask });
}

/** One line a refresh; with `--json` one object, with `--quiet` nothing. */
function tell({ step, summary, removed }: Refreshed, { settings }: RefreshTurn): void {
  const { json, quiet, color } = settings.output;
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
  const line = `${time} UTC: ${added} records added${gone}, up to ${utcMinute(end)} UTC`;
  new Screen(process.stdout, color, process.env.TERM).print([line]);
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => undefined);
}
