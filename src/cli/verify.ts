/** `seed-database verify`: compares a database with the dataset that it should hold. */

import { availableParallelism } from 'node:os';
import { createInterface } from 'node:readline/promises';
import type { SettingName } from '../config/catalog.js';
import { readConfiguration, type Settings } from '../config/index.js';
import { ExitStatus, usageError } from '../errors.js';
import { explainFailure } from '../load/explain.js';
import { harmless, jsonText } from '../report/harmless.js';
import { Screen } from '../report/screen.js';
import { withLongReads } from '../store/connect.js';
import { openTarget } from '../store/target.js';
import {
  planRepair,
  type RepairPlan,
  repairDataset,
  selectDataset,
  type VerifyInput,
  verifyDataset,
} from '../verify/index.js';
import { Progress } from './progress.js';
import { nextStep } from './verify-next.js';
import { repairLines, reportLines, selectionLines, verifyResult } from './verify-text.js';

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
