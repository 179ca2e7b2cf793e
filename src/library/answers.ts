/** What is known of a dataset beforehand, by options or of the newest run. */
import { type AssetAnswer, answersOf, type DailyAnswer } from '../answers/daily.js';
import type { Settings } from '../config/settings.js';
import { withLongReads } from '../connect/connect.js';
import { type Dataset, requestedLoad } from '../dataset/dataset.js';
import { usageError } from '../errors.js';
import type { Fleet } from '../fleet/types.js';
import { allEvents, type TrueEvent } from '../model/events.js';
import { TelemetryModel } from '../model/telemetry-model.js';
import { instantOf } from '../plan/plan.js';
import { DESCRIBING, selectDataset } from '../verify/select.js';
import { type Reading, withTarget } from './reading.js';

/** Something that is true about a dataset beside its records; see {@link TrueEvent}. */
export type KnownEvent = Omit<TrueEvent, 'start' | 'end'> & {
  readonly cause?: string;
  readonly metrics?: readonly string[];
  readonly start: Date;
  /** The first instant after it, or the end of the dataset. */
  readonly end: Date;
};

/** Whose answers are asked for. */
export interface Described {
  readonly fleet: Fleet;
  readonly dataset: Dataset;
  /** Undefined where options describe it. */
  readonly run: string | undefined;
}

/**
 * The dataset that the settings describe, for which no server is needed, or that of a stored run.
 * @param run undefined: the newest one
 * @throws SeedError where the settings describe too little, and as `verify`
 */
export async function describedDataset(
  settings: Settings,
  run: string | undefined,
  reading: Reading,
): Promise<Described> {
  const { load } = settings;
  if (run === undefined && load.given.some((flag) => DESCRIBING.includes(flag))) {
    if (load.seed === undefined) {
      throw usageError('a dataset is described by --seed and its other options', 'add --seed');
    }
    const { fleet, dataset } = await requestedLoad(load, new Date());
    return { fleet, dataset, run: undefined };
  }
  return withTarget(withLongReads(settings.connection), reading, async (target) => {
    const selected = await selectDataset(target, settings, run);
    return { fleet: selected.fleet, dataset: selected.dataset, run: selected.run?._id };
  });
}

/** By day and asset; see {@link answersOf}. */
export function knownAnswers({ fleet, dataset }: Described): Generator<DailyAnswer | AssetAnswer> {
  return answersOf(fleet, dataset);
}

/** Asset by asset, each in the order of time. */
export function* knownEvents({ fleet, dataset }: Described): Generator<KnownEvent> {
  const model = new TelemetryModel(fleet, dataset.seed);
  for (const { start, end, ...event } of allEvents(model, dataset.window, dataset.sections)) {
    yield { ...event, start: instantOf(start), end: instantOf(end) };
  }
}
