/**
 * Datasets side by side in one database. Where two of them have a record of one asset, metric and
 * minute, and not the same one, only one of them can be there. Pure.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Dataset } from '../dataset/dataset.js';
import { ExitStatus, SeedError } from '../errors.js';
import type { Fleet, Machine, Service } from '../fleet/types.js';
import { BACKUP_SERIES, type SeriesDefinition, sampledSeries } from '../model/telemetry-model.js';
import { instantOf, loadedAssets, minuteOf, type Window } from '../plan/plan.js';
import { METRICS } from '../store/collections.js';
import { definitionOf, fleetOf, type RunDocument } from './run-document.js';

/** A dataset and the fleet that it is of. */
export interface Candidate {
  readonly dataset: Dataset;
  readonly fleet: Fleet;
}

/** A stored run that has a record which a dataset has otherwise. */
export interface Clash {
  readonly run: RunDocument;
  readonly assetId: string;
  readonly metricName: string;
  /** What the run has otherwise, as `seed 7`. */
  readonly stored: string;
}

/**
 * The period in which a run may have records: `refresh --keep-days` may not have removed all that
 * are before its start.
 */
export function periodOf(run: RunDocument): Window {
  return { start: minuteOf(run.trimmedFrom ?? run.window.start), end: minuteOf(run.window.end) };
}

/** The series of an asset that a dataset has. */
export function seriesOf(
  asset: Machine | Service,
  { sections }: Pick<Dataset, 'sections'>,
): SeriesDefinition[] {
  const backups = asset.assetType === 'service' ? [] : [BACKUP_SERIES];
  return [...sampledSeries(asset), ...backups].filter(({ section }) => sections.includes(section));
}

/** The first record that both have and that is not the same, where there is one. */
function clashOf(wanted: Candidate, run: RunDocument): Clash | undefined {
  const { dataset } = wanted;
  const { start, end } = periodOf(run);
  if (run.layout !== dataset.layout || start >= dataset.window.end || end <= dataset.window.start)
    return undefined;
  if (!run.sections.some((section) => dataset.sections.includes(section))) return undefined;
  // In the flat layout records of another seed have other ids, and lie beside these.
  if (dataset.layout === 'flat' && run.seed !== dataset.seed) return undefined;
  const stored = new Sites(fleetOf(run));
  const own = new Sites(wanted.fleet);
  const differing = differenceOfRuns(wanted, run);
  for (const asset of loadedAssets(wanted.fleet)) {
    const theirs = stored.asset(asset.assetId);
    if (!theirs) continue;
    const names = new Set(seriesOf(theirs, run).map(({ metricName }) => metricName));
    const shared = seriesOf(asset, dataset).filter(({ metricName }) => names.has(metricName));
    const other = differing ?? differenceOfAssets(own.settingOf(asset), stored.settingOf(theirs));
    for (const { metricName } of shared) {
      const scale =
        metricName === 'availability_status' && run.availabilityScale !== dataset.availabilityScale;
      const difference = other ?? (scale ? `availability scale ${run.availabilityScale}` : undefined);
      if (difference !== undefined) return { run, assetId: asset.assetId, metricName, stored: difference };
    }
  }
  return undefined;
}

/** @throws SeedError where a stored run has records in the way of these */
export function refuseClashes(wanted: Candidate, runs: readonly RunDocument[]): void {
  for (const run of runs) {
    const clash = clashOf(wanted, run);
    if (clash) throw inTheWay(clash);
  }
}

/** The runs that stay beside a new one; `notice` is told of those that are not finished. */
export function keptBeside(
  runs: readonly RunDocument[],
  { dataset }: Candidate,
  notice: (message: string) => void,
): readonly RunDocument[] {
  for (const { _id, seed, state, window, planned } of runs) {
    if (state === 'complete') continue;
    const records = (planned.metrics + planned.polling + planned.backup).toLocaleString('en');
    notice(
      `run ${_id} is unfinished and stays so (seed ${seed}, ${records} records from ${window.start.toISOString()} to ` +
        `${window.end.toISOString()}): this load adds a dataset of its own with seed ${dataset.seed}; --resume would finish that run`,
    );
  }
  return runs;
}

function inTheWay({ run, assetId, metricName, stored }: Clash): SeedError {
  const { start, end } = periodOf(run);
  const period = `${instantOf(start).toISOString()} to ${instantOf(end).toISOString()}`;
  return new SeedError(
    ExitStatus.targetNotReady,
    `${METRICS} holds other records of the same minutes, such as ${assetId} ${metricName}: ` +
      `run ${run._id} has ${stored}, from ${period}`,
    'load another period (--start, --end), use another --database, or --clean to replace what is there',
  );
}

/** What makes all records of a run others. */
function differenceOfRuns({ dataset, fleet }: Candidate, run: RunDocument): string | undefined {
  const { timezone, jitterMs = 0 } = definitionOf(run);
  if (run.seed !== dataset.seed) return `seed ${run.seed}`;
  if (run.modelVersion !== dataset.modelVersion) return `model version ${run.modelVersion}`;
  if (timezone !== fleet.definition.timezone) return `time zone ${timezone}`;
  if (jitterMs !== (fleet.definition.jitterMs ?? 0)) return `jitter ${jitterMs} ms`;
  // A time-series record does not name its environment.
  if (dataset.layout === 'flat' && run.environment !== dataset.environment)
    return `environment ${run.environment}`;
  return undefined;
}

function differenceOfAssets(wanted: object, stored: object): string | undefined {
  return isDeepStrictEqual(wanted, stored) ? undefined : 'another fleet';
}

/** A fleet's assets, each with what its values depend on. */
class Sites {
  readonly #assets: ReadonlyMap<string, Machine | Service>;
  readonly #jobs = new Map<string, unknown[]>();

  constructor(fleet: Fleet) {
    this.#assets = new Map(loadedAssets(fleet).map((asset) => [asset.assetId, asset]));
    for (const { schedule, targets } of fleet.jobs) {
      for (const [position, target] of targets.entries()) {
        this.#jobs.set(target, [...(this.#jobs.get(target) ?? []), [schedule, position]]);
      }
    }
  }

  asset(assetId: string): Machine | Service | undefined {
    return this.#assets.get(assetId);
  }

  /** What the values of an asset follow from. */
  settingOf(asset: Machine | Service): object {
    const host = asset.assetType === 'service' ? this.#assets.get(asset.hostId) : undefined;
    return { asset, host, jobs: this.#jobs.get(asset.assetId) };
  }
}
