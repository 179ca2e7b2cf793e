/** What a load does with the target it finds: the rules of resuming, cleaning and refusing. Pure. */
import type { LoadSettings } from '../config/settings.js';
import { ExitStatus, SeedError } from '../errors.js';
import { minuteOf } from '../plan/index.js';
import type { Dataset } from './run.js';
import type { RunDocument } from './run-document.js';

/** What the target holds. */
export interface TargetState {
  /** Newest first. */
  readonly runs: readonly RunDocument[];
  /** Names of this program's data collections that hold documents. */
  readonly collectionsWithData: readonly string[];
}

/** What the user asked for, worked out but for the target. */
export interface Request {
  readonly dataset: Dataset;
  readonly fleetFingerprint: string;
}

export type Start =
  | { readonly kind: 'fresh'; readonly clean: boolean; readonly mayHoldRecords: boolean }
  | { readonly kind: 'resume'; readonly run: RunDocument }
  | { readonly kind: 'already complete'; readonly run: RunDocument }
  | { readonly kind: 'nothing to resume'; readonly run: RunDocument | undefined };

/** @throws SeedError where the target is not ready, or the options contradict the run to be resumed. */
export function decideStart(target: TargetState, request: Request, settings: LoadSettings): Start {
  switch (settings.existing) {
    case 'clean':
      return { kind: 'fresh', clean: true, mayHoldRecords: false };
    case 'keep':
      return { kind: 'fresh', clean: false, mayHoldRecords: target.collectionsWithData.length > 0 };
    case 'resume': {
      const run = target.runs.find((candidate) => candidate.state !== 'complete');
      if (!run) return { kind: 'nothing to resume', run: target.runs[0] };
      refuseOtherVersion(run, request);
      refuseContradictions(run, request, settings);
      return { kind: 'resume', run };
    }
    case 'refuse': {
      const same = target.runs.find((candidate) => isSameDataset(candidate, request));
      if (same?.state === 'complete') return { kind: 'already complete', run: same };
      if (same) throw notReady(`it holds ${unfinished(same)}`);
      if (target.collectionsWithData.length === 0 && target.runs.length === 0) {
        return { kind: 'fresh', clean: false, mayHoldRecords: false };
      }
      const open = target.runs.find((candidate) => candidate.state !== 'complete');
      throw notReady(
        open
          ? `it holds ${unfinished(open)}`
          : `it holds data already (${target.collectionsWithData.join(', ') || 'runs of this program'})`,
      );
    }
  }
}

/** The dataset of a stored run. */
export function datasetOf(run: RunDocument): Dataset {
  const { seed, sections, layout, availabilityScale, environment, modelVersion } = run;
  const window = { start: minuteOf(run.window.start), end: minuteOf(run.window.end) };
  return { seed, window, sections, layout, availabilityScale, environment, modelVersion };
}

function isSameDataset(run: RunDocument, request: Request): boolean {
  return run.fleetFingerprint === request.fleetFingerprint && differences(run, request.dataset).length === 0;
}

function unfinished(run: RunDocument): string {
  return `the unfinished run ${run._id} (seed ${run.seed})`;
}

function notReady(what: string): SeedError {
  return new SeedError(
    ExitStatus.targetNotReady,
    `the target database is not empty: ${what}`,
    '--resume finishes an unfinished run, --clean removes the data first, --skip-cleanup keeps it and adds to it',
  );
}

/** @throws SeedError for a run whose records this program would not make again. */
function refuseOtherVersion(run: RunDocument, { dataset, fleetFingerprint }: Request): void {
  const refuse = (what: string, remedy: string) => {
    throw new SeedError(ExitStatus.failure, `run ${run._id} cannot be resumed: ${what}`, remedy);
  };
  if (run.modelVersion !== dataset.modelVersion) {
    refuse(
      `its values are of model version ${run.modelVersion}, this program's of ${dataset.modelVersion}`,
      `use version ${run.version}, which began it, or start again with --clean`,
    );
  }
  if (run.fleetFingerprint !== fleetFingerprint) {
    refuse('it was begun with another fleet', 'use the fleet that began it, or start again with --clean');
  }
}

/** The stored run decides seed, window, layout and sections; a flag that says otherwise is refused by name. */
function refuseContradictions(run: RunDocument, request: Request, settings: LoadSettings): void {
  const refuse = (flag: string, stored: string) => {
    throw new SeedError(
      ExitStatus.usage,
      `${flag} contradicts the run to resume, ${run._id}: it has ${stored}`,
      `leave ${flag} away, or start again with --clean`,
    );
  };
  for (const { flags, stored } of differences(run, request.dataset)) {
    const given = flags.find((flag) => settings.given.includes(flag));
    if (given) refuse(given, stored);
  }
  if (settings.given.includes('--days')) {
    const days = (run.window.end.getTime() - run.window.start.getTime()) / 86_400_000;
    if (days !== settings.window.days) refuse('--days', `${days} days`);
  }
  if (settings.given.includes('--shard-days') && settings.shardDays !== run.shardDays) {
    refuse('--shard-days', `shards of ${run.shardDays} days`);
  }
}

function differences(run: RunDocument, wanted: Dataset): { flags: readonly string[]; stored: string }[] {
  const stored = datasetOf(run);
  const found: { flags: readonly string[]; stored: string }[] = [];
  const compare = (flags: readonly string[], mine: unknown, theirs: unknown, text: string) => {
    if (mine !== theirs) found.push({ flags, stored: text });
  };
  compare(['--seed'], wanted.seed, stored.seed, `seed ${stored.seed}`);
  compare(['--start'], wanted.window.start, stored.window.start, `start ${run.window.start.toISOString()}`);
  compare(['--end'], wanted.window.end, stored.window.end, `end ${run.window.end.toISOString()}`);
  compare(['--layout'], wanted.layout, stored.layout, `layout ${stored.layout}`);
  compare(
    ['--availability-scale'],
    wanted.availabilityScale,
    stored.availabilityScale,
    `availability scale ${stored.availabilityScale}`,
  );
  compare(['--environment'], wanted.environment, stored.environment, `environment ${stored.environment}`);
  compare(
    ['--metrics-only', '--polling-only', '--backup-only', '--assets-only'],
    sectionKey(wanted),
    sectionKey(stored),
    `the sections ${stored.sections.join(', ') || 'none'}`,
  );
  compare([], wanted.modelVersion, stored.modelVersion, `model version ${stored.modelVersion}`);
  return found;
}

function sectionKey(dataset: Dataset): string {
  return [...dataset.sections].sort().join();
}
