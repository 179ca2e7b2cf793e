/**
 * Records that the server removes when they are old: how long it keeps them, and how many go at
 * once. Pure.
 */
import type { LoadSettings } from '../config/settings.js';
import { ExitStatus, SeedError, usageError } from '../errors.js';
import type { CollectionFacts, TargetFacts } from '../inspect/inspect.js';
import { type Plan, planLoad, type Shard } from '../plan/plan.js';
import type { Candidate } from '../runs/beside.js';
import { METRICS } from '../store/collections.js';
import type { Job } from './job.js';

const SECONDS_PER_DAY = 86_400;

/** How long records are kept after their timestamp. */
export interface Life {
  readonly seconds: number;
  /** True where it is this load's own choice; false where `metrics` was there before with it. */
  readonly chosen: boolean;
}

/**
 * How long the records of a load will be kept; undefined: for ever.
 * @throws SeedError where `--ttl-days` asks for something else than the `metrics` that is there and
 *   stays
 */
export function plannedLife(
  facts: TargetFacts,
  cleaning: boolean,
  { ttlDays }: LoadSettings,
): Life | undefined {
  const stored = cleaning ? ({ kind: 'absent' } as const) : facts.collections[METRICS];
  const chosen = chosenLife(ttlDays);
  const asked = chosen?.seconds;
  if (stored.kind === 'absent') return chosen;
  const life = lifeOf(stored);
  const seconds = life?.seconds;
  if (asked !== undefined && asked !== seconds) {
    throw new SeedError(
      ExitStatus.targetNotReady,
      `--ttl-days ${ttlDays} would change nothing: ${METRICS} is there already and keeps its records ${lengthOf(seconds)}`,
      'omit --ttl-days, use another --database, or --clean to replace it',
    );
  }
  return life;
}

/** How long `--ttl-days` has records kept where nothing is there yet; undefined: for ever. */
export function chosenLife(ttlDays: number | undefined): Life | undefined {
  return ttlDays === undefined ? undefined : { seconds: ttlDays * SECONDS_PER_DAY, chosen: true };
}

/** How long a collection keeps its documents by their timestamp; undefined: for ever. */
export function lifeOf(facts: CollectionFacts): Life | undefined {
  const seconds = secondsOf(facts);
  return seconds === undefined ? undefined : { seconds, chosen: false };
}

function secondsOf(facts: CollectionFacts): number | undefined {
  if (facts.kind === 'timeseries') return facts.expireAfterSeconds;
  if (facts.kind !== 'collection') return undefined;
  const lives = facts.indexes
    .filter(({ key }) => key.length === 1 && key[0][0] === 'timestamp')
    .flatMap(({ expireAfterSeconds }) => expireAfterSeconds ?? []);
  return lives.length > 0 ? Math.min(...lives) : undefined;
}

/** `30 days`, `90 minutes`; `for ever`. */
export function lengthOf(seconds: number | undefined): string {
  if (seconds === undefined) return 'for ever';
  const [amount, unit] =
    seconds % SECONDS_PER_DAY === 0
      ? [seconds / SECONDS_PER_DAY, 'day']
      : seconds % 60 === 0
        ? [seconds / 60, 'minute']
        : [seconds, 'second'];
  return `for ${amount.toLocaleString('en')} ${unit}${amount === 1 ? '' : 's'}`;
}

/** What is left of a job's plan once some records have expired, day by day. */
export function unexpired({ fleet, dataset, plan }: Job, life: Life | undefined, now: Date): Plan {
  const { start, end } = dataset.window;
  const first = life ? firstKept(life, now) : start;
  if (first <= start) return plan;
  const window = { start: Math.min(first, end), end };
  const whole = planLoad(fleet, window, dataset.sections, 1);
  const own = new Map<string, Shard[]>();
  for (const shard of plan.shards) own.set(shard.assetId, [...(own.get(shard.assetId) ?? []), shard]);
  const shards = whole.shards.filter(({ assetId, from }) =>
    own.get(assetId)?.some((shard) => shard.from <= from && from < shard.to),
  );
  return { ...whole, shards, records: shards.reduce((sum, { records }) => sum + records, 0) };
}

/** The first minute whose records are kept at an instant. */
function firstKept({ seconds }: Life, now: Date): number {
  return Math.floor((now.getTime() / 1000 - seconds) / 60) + 1;
}

/** How many records of a dataset have expired at an instant. */
export function expiredRecords({ dataset, fleet }: Candidate, life: Life | undefined, now: Date): number {
  if (!life) return 0;
  const { start, end } = dataset.window;
  const window = { start, end: Math.min(firstKept(life, now), end) };
  return window.end <= start ? 0 : planLoad(fleet, window, dataset.sections, WHOLE).records;
}

/** Days in a shard that is counted, not loaded. */
const WHOLE = 36_500;

/**
 * The number of records that go as soon as they are loaded.
 * @throws SeedError where those are all
 */
export function refuseExpired(
  wanted: Candidate,
  life: Life | undefined,
  notice: (message: string) => void,
  now = new Date(),
): number {
  const expired = expiredRecords(wanted, life, now);
  if (!life || expired === 0) return 0;
  const { dataset, fleet } = wanted;
  const { records } = planLoad(fleet, dataset.window, dataset.sections, WHOLE);
  const [gone, all] = [expired, records].map((value) => value.toLocaleString('en'));
  if (expired < records) {
    notice(
      `${gone} of the ${all} records are older than ${METRICS} keeps them (${lengthOf(life.seconds)}): the server removes them at once`,
    );
    return expired;
  }
  const what = `all ${all} records are older than ${METRICS} keeps them (${lengthOf(life.seconds)}): the server would remove them at once`;
  if (life.chosen)
    throw usageError(`--ttl-days is too short: ${what}`, 'give more --ttl-days, or a later --end');
  throw new SeedError(
    ExitStatus.targetNotReady,
    what,
    'load a later period (--end), use another --database, or --clean to replace the collection',
  );
}
