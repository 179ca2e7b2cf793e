/** `seed-database verify`: compares a database with the dataset that it should hold. */
import { availableParallelism } from 'node:os';
import { createInterface } from 'node:readline/promises';
import type { SettingName } from '../config/catalog.js';
import { readConfiguration } from '../config/configuration.js';
import type { Settings } from '../config/settings.js';
import type { Books } from '../connect/bookkeeping.js';
import { withLongReads } from '../connect/connect.js';
import { explainFailure } from '../connect/retry.js';
import { openTarget } from '../connect/target.js';
import { ExitStatus, usageError } from '../errors.js';
import { Screen } from '../output/screen.js';
import { shellWord } from '../output/shell.js';
import { harmless, jsonText } from '../output/width.js';
import { LEASE_MS } from '../runs/owner.js';
import { STOPPED_CLEANING } from '../runs/run-document.js';
import { runHistory } from '../runs/run-history.js';
import { planRepair, type RepairPlan, repairDataset } from '../verify/repair.js';
import { type Selection, selectDataset } from '../verify/select.js';
import { type VerifyInput, verifyDataset } from '../verify/verify.js';
import { commandHints, flagText } from './commands.js';
import { CONNECTION_SETTINGS, VERIFY_SETTINGS } from './options.js';
import { Progress } from './terminal.js';
import { type NextStep, repairLines, reportLines, selectionLines, verifyResult } from './verify-text.js';

export interface VerifyOptions {
  readonly repair: boolean;
  /** Id of the run to verify; undefined: the newest one. */
  readonly run: string | undefined;
}

/** @returns done where database and dataset are equal, failure where they differ. */
export async function verify(
  flags: Partial<Record<SettingName, string>>,
  { repair, run }: VerifyOptions,
): Promise<ExitStatus> {
  const { settings } = readConfiguration({ flags, environment: process.env, directory: process.cwd() });
  const { output, load } = settings;
  const screen = new Screen(output.json ? process.stderr : process.stdout, output.color, process.env.TERM);
  const errors = new Screen(process.stderr, output.color, process.env.TERM);
  const say = (lines: readonly string[]) => output.quiet || screen.print(lines);
  const warn = (message: string) => errors.print([`⚠️  ${message}`], 'warning');

  const target = await openTarget(withLongReads(settings.connection), (message) => say([message]));
  try {
    const selection = await selectDataset(target, settings, run);
    say(selectionLines(selection, target.db.databaseName));
    const progress = new Progress(output.quiet ? undefined : screen);
    const input: VerifyInput = {
      target,
      connection: settings.connection,
      fleet: selection.fleet,
      dataset: selection.dataset,
      others: selection.others,
      workers: load.workers ?? availableParallelism(),
      retryMs: load.retrySeconds * 1000,
      repairing: repair,
      marks: selection.marks,
      onProgress: (compared, planned) => progress.show(compared, planned),
    };
    let report = await verifyDataset(input);
    progress.end();
    let repaired = 0;
    const plan = planRepair(report, input);
    const planned = plan.insert + plan.replace + plan.assets;
    if (repair && planned > 0) {
      say(reportLines(report));
      say(repairLines(plan));
      await confirmRepair(plan, selection.dataset.environment, settings);
      await repairDataset(input, report, warn);
      report = await verifyDataset(input);
      progress.end();
      const left = planRepair(report, input);
      repaired = planned - (left.insert + left.replace + left.assets);
    }
    const next =
      report.status === 'equal'
        ? undefined
        : await nextStep(target.books, selection, planRepair(report, input), flags, run);
    if (output.quiet) screen.print(output.json ? [] : reportLines(report).slice(0, 1));
    else say(reportLines(report, next));
    if (output.json) {
      process.stdout.write(
        `${jsonText(verifyResult(report, selection, target.db.databaseName, repaired, next))}\n`,
      );
    }
    return report.status === 'equal' ? ExitStatus.done : ExitStatus.failure;
  } catch (error) {
    throw explainFailure(error, (cause) => target.explain(cause));
  } finally {
    await target.close();
  }
}

/** As for `--clean`: in production somebody has to say so, with `--yes` or at the terminal. */
async function confirmRepair(
  plan: RepairPlan,
  environment: string,
  { load, connection }: Settings,
): Promise<void> {
  if (environment !== 'production' && load.environment !== 'production') return;
  if (load.confirmed) return;
  if (process.stdin.isTTY && process.stderr.isTTY) {
    const prompt = createInterface({ input: process.stdin, output: process.stderr });
    try {
      const answer = await prompt.question(
        `This changes the production database ${harmless(connection.database)}. Type its name to go on: `,
      );
      if (answer.trim() === connection.database) return;
    } finally {
      prompt.close();
    }
  }
  throw usageError(
    `--repair would write ${plan.insert + plan.replace} records of the production database ${connection.database}`,
    'add --yes if that is what you want',
  );
}

// What `verify` names as the next command where database and dataset differ.

type Flags = Partial<Record<SettingName, string>>;

/** Flags of `verify` that say what is compared, and how. */
const COMPARING = VERIFY_SETTINGS.filter((name) => name !== 'quiet' && !CONNECTION_SETTINGS.includes(name));

/**
 * A run that was not finished is resumed; what is missing or different otherwise is repaired.
 * @param books where the runs are read
 * @param run as typed: `--run`
 */
export async function nextStep(
  books: Books,
  { run: compared }: Selection,
  plan: RepairPlan,
  flags: Flags,
  run: string | undefined,
): Promise<NextStep | undefined> {
  const { program, connectionFlags, beside } = commandHints(flags);
  const command = (text: string) => `${program} ${text}${connectionFlags}`;
  if (compared && compared.state !== 'complete') {
    const runs = (await runHistory(books)).filter((one) => 'state' in one);
    const stored = runs.find(({ runId }) => runId === compared._id);
    const silences = [stored?.silentMs, ...(stored?.parts?.begun.map(({ silentMs }) => silentMs) ?? [])];
    if (silences.some((silentMs) => silentMs !== undefined && silentMs < LEASE_MS)) {
      return { what: `A loader is at work; see when it is done${beside}`, command: command('status') };
    }
    const open = runs.find(({ state }) => state !== 'complete');
    // A shared run is finished part by part, and of several unfinished ones the newest first.
    if (compared.parts || open?.runId !== compared._id) {
      return { what: `Not finished; see what is open${beside}`, command: command('status') };
    }
    if (compared.cleaning) {
      return { what: `Not finished: it ${STOPPED_CLEANING}${beside}`, command: command('--resume') };
    }
    return { what: `Not finished; continue with${beside}`, command: command('--resume') };
  }
  if (plan.insert + plan.replace + plan.assets > 0) {
    const which = run === undefined ? '' : ` --run ${shellWord(run)}`;
    return {
      what: `Repair with${beside}`,
      command: command(`verify --repair${which}${flagText(flags, COMPARING)}`),
    };
  }
  if (plan.leave > 0)
    return { what: 'What is too much only --clean, or you, can remove', command: undefined };
  return undefined;
}
