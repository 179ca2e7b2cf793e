/** `seed-database refresh` and `follow`: the newest run grows up to now. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { SettingName } from '../config/catalog.js';
import { maskSecrets, readConfiguration, type Settings } from '../config/index.js';
import { ExitStatus, usageError } from '../errors.js';
import { runLoad } from '../load/index.js';
import { mergeExtensions, nextRefresh, type RefreshStep } from '../load/refresh.js';
import { refuseUntrimmable, trimOldEnd } from '../load/trim.js';
import { instantOf, minuteOf } from '../plan/index.js';
import { createReporter } from '../report/index.js';
import { Screen } from '../report/screen.js';
import { openTarget, type Target } from '../store/target.js';
import { exitStatusOf, failureOf } from './failure.js';
import { type Interrupts, listenForInterrupts } from './interrupt.js';

type Flags = Partial<Record<SettingName, string>>;

const MS_PER_MINUTE = 60_000;

/**
 * Extends the newest run up to `--end`, or up to the current minute.
 * @param keepDays as typed: days that stay at the new end; undefined keeps all
 */
export async function refresh(flags: Flags, keepDays: string | undefined): Promise<ExitStatus> {
  return withTarget(flags, keepDays, ({ target, settings, days, interrupts }) =>
    refreshOnce(target, settings, days, interrupts),
  );
}

/** Refreshes minute by minute until it is stopped, which is its regular end. */
export async function follow(flags: Flags, keepDays: string | undefined): Promise<ExitStatus> {
  return withTarget(flags, keepDays, async ({ target, settings, days, interrupts }) => {
    const { signal } = interrupts;
    while (!signal.aborted) {
      const status = await refreshOnce(target, settings, days, interrupts);
      if (status !== ExitStatus.done) return status === ExitStatus.interrupted ? ExitStatus.done : status;
      // A second into the next minute, when the minute before it is over.
      await sleep(MS_PER_MINUTE + 1_000 - (Date.now() % MS_PER_MINUTE), undefined, { signal }).catch(
        () => undefined,
      );
    }
    return ExitStatus.done;
  });
}

interface Work {
  readonly target: Target;
  /** Those of the target, which may be a server of our own. */
  readonly settings: Settings;
  readonly days: number | undefined;
  readonly interrupts: Interrupts;
}

async function withTarget(
  flags: Flags,
  keepDays: string | undefined,
  work: (input: Work) => Promise<ExitStatus>,
): Promise<ExitStatus> {
  const { settings } = readConfiguration({ flags, environment: process.env, directory: process.cwd() });
  const days = keepDays === undefined ? undefined : wholeDays(keepDays);
  const notices = new Screen(process.stderr, settings.output.color, process.env.TERM);
  const interrupts = listenForInterrupts((message) => notices.note(message));
  const target = await openTarget(settings.connection, (message) => notices.note(message));
  const connection = { ...settings.connection, uri: target.uri, origin: 'named' as const };
  try {
    return await work({ target, settings: { ...settings, connection }, days, interrupts });
  } catch (error) {
    throw target.explain(error);
  } finally {
    interrupts.stop();
    await target.close();
  }
}

async function refreshOnce(
  target: Target,
  settings: Settings,
  keepDays: number | undefined,
  interrupts: Interrupts,
): Promise<ExitStatus> {
  const { db, server } = target;
  const until = minuteOf(settings.load.window.end ?? new Date());
  const step = await nextRefresh(db, until);
  if (keepDays !== undefined) refuseUntrimmable(step.run, server.version);
  const status =
    step.kind === 'up to date' ? upToDate(step, settings) : await loadStep(step, settings, interrupts.signal);
  if (status !== ExitStatus.done) return status;
  await mergeExtensions(db);
  // What was resumed may have had an earlier end.
  if (step.kind === 'resume') return refreshOnce(target, settings, keepDays, interrupts);
  if (keepDays !== undefined) {
    const removed = await trimOldEnd(db, keepDays);
    if (removed > 0)
      tell(settings, `${removed.toLocaleString('en')} records older than ${keepDays} days removed`);
  }
  return ExitStatus.done;
}

function upToDate({ run }: RefreshStep, settings: Settings): ExitStatus {
  const end = run.window.end.toISOString().slice(0, 16).replace('T', ' ');
  if (settings.output.json) {
    const result = {
      status: 'up to date',
      runId: run._id,
      seed: run.seed,
      layout: run.layout,
      window: run.window,
    };
    process.stdout.write(`${JSON.stringify(result)}\n`);
  } else tell(settings, `✅ Up to date: run ${run._id} reaches up to ${end} UTC`);
  return ExitStatus.done;
}

function tell({ output }: Settings, line: string): void {
  if (output.json) return;
  new Screen(process.stdout, output.color, process.env.TERM).print([line]);
}

/** Loads the missing minutes as the run that is extended would have loaded them. */
async function loadStep(step: RefreshStep, settings: Settings, interrupt: AbortSignal): Promise<ExitStatus> {
  const { load } = settings;
  // What is resumed is followed by more, and `--json` prints one object.
  const output = step.kind === 'resume' ? { ...settings.output, json: false, quiet: true } : settings.output;
  const reporter = createReporter(output, { mask: (text) => maskSecrets(text, settings) });
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
    const summary = await runLoad(loading, reporter, interrupt);
    reporter.finish(summary);
    return summary.status === 'interrupted' ? ExitStatus.interrupted : ExitStatus.done;
  } catch (error) {
    reporter.fail(failureOf(error, output.logLevel === 'debug', (text) => maskSecrets(text, settings)));
    return exitStatusOf(error);
  } finally {
    await reporter.close();
  }
}

function wholeDays(text: string): number {
  const days = Number(text);
  if (/^\d{1,5}$/.test(text) && days >= 1 && days <= 36_500) return days;
  throw usageError(`--keep-days "${text}": must be a whole number from 1 to 36500`);
}
