/** Comparing a database with the dataset that it should hold, and putting right what differs. */
import { availableParallelism } from 'node:os';
import type { Settings } from '../config/settings.js';
import type { Books } from '../connect/bookkeeping.js';
import { withLongReads } from '../connect/connect.js';
import { ExitStatus, SeedError, usageError } from '../errors.js';
import { LEASE_MS } from '../runs/owner.js';
import { runHistory } from '../runs/run-history.js';
import { planRepair, type RepairPlan, repairDataset } from '../verify/repair.js';
import { type Selection, selectDataset } from '../verify/select.js';
import { type VerifyInput, type VerifyReport, verifyDataset } from '../verify/verify.js';
import { type Reading, withTarget } from './reading.js';

export type { Defect, Example } from '../verify/findings.js';
export type { RepairPlan, Selection, VerifyReport };

/** What is compared, and who is told of it. */
export interface Verifying extends Reading {
  /**
   * Id of the run to verify; undefined: the newest one, or the dataset that the settings describe.
   */
  readonly run: string | undefined;
  readonly repair: boolean;
  readonly warn: (message: string) => void;
  readonly onSelected?: (selection: Selection) => void;
  /** Told after each shard how many records have been compared. */
  readonly onProgress?: (compared: number, planned: number) => void;
  /** Told what a repair is going to do, and by which findings, before it does it. */
  readonly onRepair?: (plan: RepairPlan, report: VerifyReport) => void;
  /**
   * Asks before a production database is changed; without it that is refused unless the settings
   * say yes.
   */
  readonly confirm?: () => Promise<boolean>;
}

/** What can be done about a difference. */
export type NextStep =
  | 'wait for the loader'
  | 'look at open runs'
  | 'resume the cleaning'
  | 'resume'
  | 'repair'
  | 'clean'
  | 'nothing';

export interface Verified {
  readonly selection: Selection;
  /** After the repair, where there was one. */
  readonly report: VerifyReport;
  /** Records and assets that were put right. */
  readonly repaired: number;
  readonly next: NextStep;
}

/**
 * Compares, and with `repair` puts right what is missing or different and compares again.
 * @throws SeedError where the database cannot be read, holds no run that this version makes, or
 *   must not be changed
 */
export async function verifyDatabase(settings: Settings, verifying: Verifying): Promise<Verified> {
  return withTarget(withLongReads(settings.connection), verifying, async (target) => {
    const { load, connection } = settings;
    const { signal, repair, warn } = verifying;
    const selection = await selectDataset(target, settings, verifying.run);
    verifying.onSelected?.(selection);
    if (repair && selection.run?.writer === 'buckets' && selection.run.state !== 'complete') {
      // What a repair inserts as measurements would be there twice once the run is resumed.
      throw new SeedError(
        ExitStatus.targetNotReady,
        `run ${selection.run._id} is not finished`,
        'finish it with --resume, then repair what is still missing',
      );
    }
    const input: VerifyInput = {
      target,
      connection,
      fleet: selection.fleet,
      dataset: selection.dataset,
      shardDays: selection.run?.shardDays ?? load.shardDays,
      others: selection.others,
      events: selection.run?.events === true,
      workers: load.workers ?? availableParallelism(),
      retryMs: load.retrySeconds * 1000,
      repairing: repair,
      marks: selection.marks,
      onProgress: (compared, planned) => {
        if (signal?.aborted) {
          throw new SeedError(ExitStatus.interrupted, 'the comparison was interrupted', 'compare again');
        }
        verifying.onProgress?.(compared, planned);
      },
    };
    let report = await verifyDataset(input);
    let repaired = 0;
    const plan = planRepair(report, input);
    if (repair && sizeOf(plan) > 0) {
      verifying.onRepair?.(plan, report);
      await confirmRepair(plan, selection.dataset.environment, settings, verifying.confirm);
      await repairDataset(input, report, warn);
      report = await verifyDataset(input);
      repaired = sizeOf(plan) - sizeOf(planRepair(report, input));
    }
    const next =
      report.status === 'equal'
        ? 'nothing'
        : await nextStep(target.books, selection, planRepair(report, input));
    return { selection, report, repaired, next };
  });
}

function sizeOf({ insert, replace, assets, events }: RepairPlan): number {
  return insert + replace + assets + events;
}

/** As for `--clean`: in production somebody has to say so. */
async function confirmRepair(
  plan: RepairPlan,
  environment: string,
  { load, connection }: Settings,
  confirm: Verifying['confirm'],
): Promise<void> {
  if (environment !== 'production' && load.environment !== 'production') return;
  if (load.confirmed || (await confirm?.())) return;
  throw usageError(
    `--repair would write ${plan.insert + plan.replace} records of the production database ${connection.database}`,
    'add --yes if that is what you want',
  );
}

/** A run that was not finished is resumed; what is missing or different otherwise is repaired. */
async function nextStep(books: Books, { run: compared }: Selection, plan: RepairPlan): Promise<NextStep> {
  if (compared && compared.state !== 'complete') {
    const runs = (await runHistory(books)).filter((one) => 'state' in one);
    const stored = runs.find(({ runId }) => runId === compared._id);
    const silences = [stored?.silentMs, ...(stored?.parts?.begun.map(({ silentMs }) => silentMs) ?? [])];
    if (silences.some((silentMs) => silentMs !== undefined && silentMs < LEASE_MS)) {
      return 'wait for the loader';
    }
    // A shared run is finished part by part, and of several unfinished ones the newest first.
    const open = runs.find(({ state }) => state !== 'complete');
    if (compared.parts || open?.runId !== compared._id) return 'look at open runs';
    return compared.cleaning ? 'resume the cleaning' : 'resume';
  }
  if (sizeOf(plan) > 0) return 'repair';
  return plan.leave > 0 ? 'clean' : 'nothing';
}
