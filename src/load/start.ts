/**
 * What a load does with the target it finds: the rules of resuming, cleaning and refusing. Pure.
 */

import type { LoadSettings, Part } from '../config/settings.js';
import type { Dataset } from '../dataset/dataset.js';
import { ExitStatus, SeedError, usageError } from '../errors.js';
import { buildFleet } from '../fleet/build.js';
import { DEFAULT_FLEET } from '../fleet/default.js';
import type { FleetFile } from '../fleet/file.js';
import { fleetFingerprint } from '../fleet/fingerprint.js';
import type { Fleet } from '../fleet/types.js';
import { shardDaysFor } from '../plan/plan.js';
import { refuseClashes } from '../runs/beside.js';
import {
  datasetOf,
  definitionOf,
  fleetOf,
  type RunDocument,
  STOPPED_CLEANING,
} from '../runs/run-document.js';
import { ASSETS } from '../store/collections.js';
import { DEFAULT_INTERVAL } from '../time.js';

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
  readonly fleet: Fleet;
}

export type Start =
  | { readonly kind: 'fresh'; readonly clean: boolean; readonly mayHoldRecords: boolean }
  | { readonly kind: 'resume'; readonly run: RunDocument }
  | {
      readonly kind: 'join';
      readonly run: RunDocument;
      /** True where this part was begun before. */
      readonly again: boolean;
      /** How it was written then. */
      readonly writer: RunDocument['writer'];
      readonly mayHoldRecords: boolean;
    }
  | { readonly kind: 'already complete'; readonly run: RunDocument }
  | { readonly kind: 'nothing to resume'; readonly run: RunDocument | undefined };

/**
 * @throws SeedError where the target is not ready, or the options contradict the run to be resumed.
 */
export function decideStart(
  target: TargetState,
  request: Request,
  settings: LoadSettings,
): Exclude<Start, { kind: 'join' }> {
  switch (settings.existing) {
    case 'clean':
      return { kind: 'fresh', clean: true, mayHoldRecords: false };
    case 'keep':
      refuseBeside(target, request);
      return { kind: 'fresh', clean: false, mayHoldRecords: target.collectionsWithData.length > 0 };
    case 'resume': {
      const run = target.runs.find((candidate) => candidate.state !== 'complete');
      if (!run) return { kind: 'nothing to resume', run: target.runs[0] };
      if (run.parts) {
        throw usageError(
          `run ${run._id} is shared by ${run.parts.count} parts`,
          `give --resume --parts ${run.parts.count} with the --part to go on with`,
        );
      }
      refuseOtherVersion(run, request);
      refuseContradictions(run, request, settings);
      return { kind: 'resume', run };
    }
    case 'refuse': {
      const same = target.runs.find((candidate) => isSameDataset(candidate, request));
      if (same?.state === 'complete') return { kind: 'already complete', run: same };
      if (same) throw notReady(`it holds ${unfinished(same)}`);
      if (holdsAtMostAssets(target, request)) return { kind: 'fresh', clean: false, mayHoldRecords: false };
      const open = target.runs.find((candidate) => candidate.state !== 'complete');
      throw notReady(
        open
          ? `it holds ${unfinished(open)}`
          : `it holds data already (${target.collectionsWithData.join(', ') || 'runs of this program'})`,
      );
    }
  }
}

/**
 * The same for one of several loaders, which does not mind what its siblings have begun.
 * @throws SeedError as {@link decideStart}, and where options contradict those of the run
 */
export function decideJoin(
  target: TargetState,
  request: Request,
  settings: LoadSettings,
  part: Part,
): Exclude<Start, { kind: 'join' }> {
  const open = target.runs.find((candidate) => candidate.state !== 'complete');
  const resuming = settings.existing === 'resume';
  if (open?.parts) {
    if (open.parts.count !== part.of) throw contradiction('--parts', open, `${open.parts.count} parts`);
    refuseOtherVersion(open, request);
    if (resuming) refuseContradictions(open, request, settings);
    else refuseOtherOptions(open, request, settings);
    return { kind: 'resume', run: open };
  }
  if (open && resuming) throw contradiction('--parts', open, 'one loader');
  if (open) throw notReadyForParts(`it holds ${unfinished(open)}`, 'seed-database --resume finishes it');
  if (resuming) return { kind: 'nothing to resume', run: target.runs[0] };
  const same = target.runs.find((candidate) => isSameDataset(candidate, request));
  if (same) return { kind: 'already complete', run: same };
  // Assets alone are in nobody's way: so a database can be cleaned once, before the parts begin.
  const records = target.collectionsWithData.filter((name) => name !== ASSETS);
  if (settings.existing === 'keep') refuseBeside(target, request);
  else if (records.length > 0) {
    throw notReadyForParts(`it holds data already (${records})`, '--skip-cleanup keeps it and adds to it');
  }
  return { kind: 'fresh', clean: false, mayHoldRecords: settings.existing === 'keep' };
}

/** The assets of this very fleet are written again: they are in nobody's way. */
function holdsAtMostAssets({ runs, collectionsWithData }: TargetState, request: Request): boolean {
  if (runs.length === 0) return collectionsWithData.length === 0;
  const fingerprint = fleetFingerprint(request.fleet);
  const isOfAssets = ({ state, sections, fleetFingerprint }: RunDocument) =>
    state === 'complete' && sections.length === 0 && fleetFingerprint === fingerprint;
  return runs.every(isOfAssets) && collectionsWithData.every((name) => name === ASSETS);
}

/** @throws SeedError where what is there cannot be kept beside what is asked for */
function refuseBeside({ runs }: TargetState, request: Request): void {
  const cleaning = runs.find((run) => run.cleaning && run.state !== 'complete');
  if (cleaning) {
    throw new SeedError(
      ExitStatus.targetNotReady,
      `run ${cleaning._id} ${STOPPED_CLEANING}`,
      '--resume finishes it, --clean removes the rest and starts again',
    );
  }
  refuseClashes(request, runs);
}

/**
 * All parts must be told the same. Only the period may follow from the day on which a part starts.
 */
function refuseOtherOptions(run: RunDocument, request: Request, settings: LoadSettings): void {
  for (const { flags, stored } of differences(run, request.dataset)) {
    const [flag] = flags;
    if ((flag === '--start' || flag === '--end') && !settings.window.start && !settings.window.end) continue;
    throw contradiction(flags.find((one) => settings.given.includes(one)) ?? flag, run, stored);
  }
  const [other] = fleetDifferences(run, request);
  if (other) throw contradiction(other.flags[0], run, other.stored);
  if (settings.events && !run.events) throw contradiction('--events', run, 'no events');
  const days = (run.window.end.getTime() - run.window.start.getTime()) / 86_400_000;
  if (days !== settings.window.days) throw contradiction('--days', run, `${days} days`);
  if ((settings.shardDays ?? shardDaysFor(request.dataset.window, request.fleet)) !== run.shardDays) {
    throw contradiction('--shard-days', run, `shards of ${run.shardDays} days`);
  }
  const { clustered, ttlDays } = run.parts ?? {};
  if (settings.clustered !== clustered) {
    throw contradiction('--no-clustered', run, clustered ? 'a clustered collection' : 'none');
  }
  if (settings.ttlDays !== ttlDays) throw contradiction('--ttl-days', run, `${ttlDays ?? 'no'} days to live`);
}

function contradiction(flag: string, run: RunDocument, stored: string): SeedError {
  return usageError(
    `${flag} contradicts the run that the parts share, ${run._id}: it has ${stored}`,
    'give every part the same options but for --part',
  );
}

function isSameDataset(run: RunDocument, request: Request): boolean {
  return (
    run.fleetFingerprint === fleetFingerprint(request.fleet) && differences(run, request.dataset).length === 0
  );
}

function unfinished(run: RunDocument): string {
  const cleaning = run.cleaning ? `, which ${STOPPED_CLEANING}` : '';
  return `the unfinished run ${run._id} (seed ${run.seed})${cleaning}`;
}

function notReady(what: string): SeedError {
  return new SeedError(
    ExitStatus.targetNotReady,
    `the target database is not empty: ${what}`,
    '--resume finishes an unfinished run, --clean removes the data first, --skip-cleanup keeps it and adds to it',
  );
}

/** A part cannot clean. */
function notReadyForParts(what: string, otherwise: string): SeedError {
  return new SeedError(
    ExitStatus.targetNotReady,
    `the target database is not empty: ${what}`,
    `${otherwise}, seed-database --assets-only --clean removes the data before the parts begin`,
  );
}

/** @throws SeedError for a run whose records this program would not make again. */
function refuseOtherVersion(run: RunDocument, { dataset }: Request): void {
  const refuse = (what: string, remedy: string) => {
    throw new SeedError(ExitStatus.failure, `run ${run._id} cannot be resumed: ${what}`, remedy);
  };
  if (run.modelVersion !== dataset.modelVersion) {
    refuse(
      `its values are of model version ${run.modelVersion}, this program's of ${dataset.modelVersion}`,
      `use version ${run.version}, which began it, or start again with --clean`,
    );
  }
  if (run.fleetFingerprint !== fleetFingerprint(fleetOf(run))) {
    refuse(
      'it was begun with another fleet',
      `use version ${run.version}, which began it, or start again with --clean`,
    );
  }
}

/**
 * The stored run decides seed, window, layout and sections; a flag that says otherwise is refused
 * by name.
 */
function refuseContradictions(run: RunDocument, request: Request, settings: LoadSettings): void {
  const refuse = (flag: string, stored: string) => {
    throw new SeedError(
      ExitStatus.usage,
      `${flag} contradicts the run to resume, ${run._id}: it has ${stored}`,
      `leave ${flag} away, or start again with --clean`,
    );
  };
  for (const { flags, stored } of [...differences(run, request.dataset), ...fleetDifferences(run, request)]) {
    const given = flags.find((flag) => settings.given.includes(flag));
    if (given) refuse(given, stored);
  }
  if (settings.given.includes('--events') && !run.events) refuse('--events', 'no events');
  if (settings.given.includes('--days')) {
    const days = (run.window.end.getTime() - run.window.start.getTime()) / 86_400_000;
    if (days !== settings.window.days) refuse('--days', `${days} days`);
  }
  if (settings.given.includes('--shard-days') && settings.shardDays !== run.shardDays) {
    refuse('--shard-days', `shards of ${run.shardDays} days`);
  }
}

/** Of three ways to ask for a fleet, those that differ. */
function fleetDifferences(run: RunDocument, { fleet }: Request): Difference[] {
  const wanted = fleet.definition;
  const stored = definitionOf(run);
  const one = (file: FleetFile) => fleetFingerprint(buildFleet({ ...DEFAULT_FLEET.definition, file }));
  const found: Difference[] = [];
  if (one(wanted.file) !== one(stored.file)) found.push({ flags: ['--fleet'], stored: 'another fleet' });
  if (wanted.scale !== stored.scale) found.push({ flags: ['--scale'], stored: `scale ${stored.scale}` });
  if (wanted.timezone !== stored.timezone) {
    found.push({ flags: ['--timezone'], stored: `time zone ${stored.timezone}` });
  }
  if (wanted.interval !== stored.interval) {
    found.push({ flags: ['--interval'], stored: `interval ${stored.interval ?? DEFAULT_INTERVAL}` });
  }
  if (wanted.jitterMs !== stored.jitterMs) {
    found.push({ flags: ['--jitter'], stored: `jitter ${stored.jitterMs ?? 0} ms` });
  }
  return found;
}

/** What a stored run has otherwise, and the flags that ask for it. */
interface Difference {
  readonly flags: readonly string[];
  readonly stored: string;
}

function differences(run: RunDocument, wanted: Dataset): Difference[] {
  const stored = datasetOf(run);
  const found: Difference[] = [];
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
