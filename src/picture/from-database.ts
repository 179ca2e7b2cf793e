/**
 * Readings of a database, in either layout: whatever stands in it, whether or not it is what a run
 * has promised.
 */
import type { WindowRequest } from '../config/settings.js';
import type { Books } from '../connect/bookkeeping.js';
import { ExitStatus, SeedError } from '../errors.js';
import { DEFAULT_TIMEZONE } from '../fleet/build.js';
import { fleetFingerprint } from '../fleet/fingerprint.js';
import { type Fleet, MACHINE_TYPES, type Machine, type Service } from '../fleet/types.js';
import { TIMEOUT_MS } from '../model/polling.js';
import { pollMinutesOf, sampledSeries } from '../model/telemetry-model.js';
import { instantOf, minuteOf, resolveWindow, type Window } from '../plan/plan.js';
import { storedRun } from '../runs/run-history.js';
import type { StoredAsset, TelemetryReader } from '../store/reads.js';
import {
  type BucketRow,
  bucketRows,
  countRecords,
  meanAndHighest,
  type Period,
  recordSpan,
  recordsBelow,
} from '../store/statistics.js';
import { RESPONSE_TIME } from './picture.js';
import {
  type AvailabilityReadings,
  Buckets,
  bucketMinutes,
  type DatasetReadings,
  IncidentLog,
  isDefaultFleet,
  type MachineReadings,
  type MetricReadings,
  MOST_MACHINES,
} from './readings.js';

const AVAILABILITY = 'availability_status';
const BACKUP = 'backup_status';
/** Assets that are asked for at once. */
const AT_ONCE = 4;
/** A machine has one backup a day: no window has more. */
const MOST_BACKUPS = 100_000;

export interface DatabaseReading {
  readonly reader: TelemetryReader;
  readonly books: Books;
  /** Says which patterns the machines have, if the database was loaded with it. */
  readonly fleet: Fleet;
  /** The period to show; without an end it ends where the data does. */
  readonly window: WindowRequest;
  /** The server's version, for people. */
  readonly server: string;
}

/** As far as a picture needs it. */
interface NewestRun {
  readonly seed: number | null;
  readonly fingerprint: string | undefined;
  readonly window: Window | undefined;
}

/**
 * Reads what a database holds of a period.
 * @throws SeedError where it holds no machines, or no records of them in that period
 */
export async function readDatabase(reading: DatabaseReading): Promise<DatasetReadings> {
  const { reader, server } = reading;
  const database = reader.db.databaseName;
  const assets = await reader.assets();
  const hosts = assets.filter(({ asset_type }) => (MACHINE_TYPES as readonly string[]).includes(asset_type));
  const services = assets.filter(({ asset_type }) => asset_type === 'service');
  if (hosts.length === 0) throw nothingToShow(`database ${database} holds no machines`);
  const run = await newestRun(reading.books);
  const known = run.fingerprint === fleetFingerprint(reading.fleet) ? reading.fleet : undefined;
  const machines = inOrder(hosts, known?.machines).slice(0, MOST_MACHINES);
  const window = await windowOf(reading, machines, run);
  const drawn = new Set(machines.map(({ asset_id }) => asset_id));
  const theirs = inOrder(services, known?.services).filter((one) => drawn.has(hostOf(one)));
  const up = await upState(reader, machines, window);
  return {
    source: { kind: 'database', database, layout: reader.layout, server, seed: run.seed },
    window,
    zone: known?.definition.timezone ?? DEFAULT_TIMEZONE,
    isDefaultFleet: known !== undefined && isDefaultFleet(known),
    counts: { machines: hosts.length, services: services.length },
    machines: await inTurns(machines, (asset) => readMachine(reader, asset, known, window, up)),
    services: await inTurns(theirs, async (asset) => ({
      assetId: asset.asset_id,
      name: String(asset.service_name ?? asset.asset_id),
      hostId: hostOf(asset),
      availability: await readAvailability(
        reader,
        asset.asset_id,
        window,
        up,
        pollMinutes(known?.services, asset.asset_id),
      ),
    })),
  };
}

/** Others than this program may have written the document: nothing of `data` is sure. */
function hostOf({ data }: StoredAsset): string {
  return String((data as Partial<StoredAsset['data']> | undefined)?.parent_asset_id);
}

/** In the order of the fleet, where it is known; else as they are, by their ids. */
function inOrder(
  assets: readonly StoredAsset[],
  known: readonly { readonly assetId: string }[] = [],
): StoredAsset[] {
  const places = new Map(known.map(({ assetId }, place) => [assetId, place]));
  const place = ({ asset_id }: StoredAsset) => places.get(asset_id) ?? places.size;
  return [...assets].sort((a, b) => place(a) - place(b));
}

function nothingToShow(what: string): SeedError {
  return new SeedError(
    ExitStatus.targetNotReady,
    what,
    'load first, or name another --database, --start or --end; seed-database status shows what is there',
  );
}

/** A run document of any version is good enough, and there need not be one. */
async function newestRun(books: Books): Promise<NewestRun> {
  const run = await storedRun(books);
  const { start, end } = run?.window ?? {};
  return {
    seed: typeof run?.seed === 'number' ? run.seed : null,
    fingerprint: run?.fleetFingerprint,
    window:
      start instanceof Date && end instanceof Date
        ? { start: minuteOf(start), end: minuteOf(end) }
        : undefined,
  };
}

/**
 * The period that was asked for, as far as there is data: what the records span, or the newest
 * run's window.
 */
async function windowOf(
  { reader, window: request }: DatabaseReading,
  machines: readonly StoredAsset[],
  run: NewestRun,
): Promise<Window> {
  const spans = await inTurns(machines, ({ asset_id }) =>
    Promise.all(
      [AVAILABILITY, 'cpu_usage', BACKUP].map((metricName) => recordSpan(reader, asset_id, metricName)),
    ),
  );
  const found = spans.flat().filter((span) => span !== undefined);
  const database = reader.db.databaseName;
  if (found.length === 0) throw nothingToShow(`database ${database} holds machines, and no records of them`);
  const begins = found.map(([oldest]) => minuteOf(oldest));
  const ends = found.map(([, newest]) => minuteOf(newest) + 1);
  const start = Math.min(...begins, run.window?.start ?? Number.POSITIVE_INFINITY);
  const end = Math.max(...ends, run.window?.end ?? 0);
  const asked = resolveWindow(request, false, instantOf(end));
  const window = { start: Math.max(start, asked.start), end: Math.min(end, asked.end) };
  if (window.start < window.end) return window;
  const [from, to] = [start, end].map((minute) => instantOf(minute).toISOString());
  throw nothingToShow(`database ${database} holds records from ${from} to ${to}, and none of this period`);
}

async function readMachine(
  reader: TelemetryReader,
  { asset_id: assetId, hostname, asset_type: assetType }: StoredAsset,
  fleet: Fleet | undefined,
  window: Window,
  up: number,
): Promise<MachineReadings> {
  const step = bucketMinutes(window.start, window.end);
  const period = periodOf(window);
  const rows = await bucketRows(reader, assetId, period, step, {
    without: [AVAILABILITY, RESPONSE_TIME, BACKUP],
  });
  const backups = await reader.records(assetId, { metricName: BACKUP, ...period, limit: MOST_BACKUPS });
  const machine = fleet?.machines.find((one) => one.assetId === assetId);
  return {
    assetId,
    name: String(hostname ?? assetId),
    assetType,
    pattern: machine?.pattern,
    metrics: metricsOf(rows, machine, window, step),
    availability: await readAvailability(reader, assetId, window, up, pollMinutes(fleet?.machines, assetId)),
    backups:
      backups.length === 0
        ? undefined
        : backups.reverse().map(({ timestamp, value }) => ({ at: minuteOf(timestamp), success: value >= 1 })),
  };
}

/**
 * In the order and with the units of the model's series; what it does not know comes after, by
 * name.
 */
function metricsOf(
  rows: readonly BucketRow[],
  machine: Machine | undefined,
  window: Window,
  step: number,
): MetricReadings[] {
  const series = machine ? sampledSeries(machine) : [];
  const found = new Map<string, MetricReadings>();
  for (const { metricName, minute, unit, ...sums } of rows) {
    let metric = found.get(metricName);
    if (!metric) {
      const known = series.find((one) => one.metricName === metricName);
      const buckets = new Buckets(window.start, window.end, step);
      metric = { metricName, unit: unit ?? known?.unit ?? unitByName(metricName), buckets };
      found.set(metricName, metric);
    }
    metric.buckets.addSums(minute, sums);
  }
  const place = (name: string) => {
    const names = series.length > 0 ? series.map(({ metricName }) => metricName) : PERCENTAGES;
    const index = names.indexOf(name);
    return index < 0 ? names.length : index;
  };
  return [...found.values()].sort(
    (a, b) => place(a.metricName) - place(b.metricName) || (a.metricName < b.metricName ? -1 : 1),
  );
}

/** From one poll to the next; of an asset that is not known, as usual. */
function pollMinutes(known: readonly (Machine | Service)[] | undefined, assetId: string): number {
  const asset = known?.find((one) => one.assetId === assetId);
  return asset ? pollMinutesOf(asset) : 1;
}

/** The time-series layout stores no units. */
const PERCENTAGES: readonly string[] = ['cpu_usage', 'memory_usage', 'io_wait'];

function unitByName(metricName: string): string {
  if (metricName === RESPONSE_TIME) return 'milliseconds';
  return PERCENTAGES.includes(metricName) ? 'percentage' : '';
}

/**
 * 100 or 1: what "up" is in this database, which `--availability-scale` decided when it was loaded.
 */
async function upState(
  reader: TelemetryReader,
  machines: readonly StoredAsset[],
  window: Window,
): Promise<number> {
  for (const { asset_id } of machines) {
    const found = await meanAndHighest(reader, asset_id, AVAILABILITY, periodOf(window));
    // A machine that was down all the time tells nothing.
    if (found && found.highest > 0) return found.highest > 1 ? 100 : 1;
  }
  return 100;
}

async function readAvailability(
  reader: TelemetryReader,
  assetId: string,
  window: Window,
  upState: number,
  pollMinutes: number,
): Promise<AvailabilityReadings | undefined> {
  const period = periodOf(window);
  const step = bucketMinutes(window.start, window.end);
  const [polled, below, timed, answered] = await Promise.all([
    countRecords(reader, assetId, AVAILABILITY, period),
    recordsBelow(reader, assetId, AVAILABILITY, period, upState),
    countRecords(reader, assetId, RESPONSE_TIME, period),
    bucketRows(reader, assetId, period, step, { only: RESPONSE_TIME, below: TIMEOUT_MS }),
  ]);
  if (polled === 0) return undefined;
  const log = new IncidentLog(pollMinutes);
  let down = 0;
  for (const { timestamp, value } of below) {
    log.add(minuteOf(timestamp), value > 0 ? 'degraded' : 'down');
    if (value <= 0) down += pollMinutes;
  }
  return {
    up: (polled - below.length) * pollMinutes,
    degraded: below.length * pollMinutes - down,
    down,
    incidents: log.incidents,
    response: metricsOf(answered, undefined, window, step)[0],
    timedOut: timed - answered.reduce((sum, { count }) => sum + count, 0),
  };
}

function periodOf({ start, end }: Window): Period {
  return { from: instantOf(start), to: instantOf(end) };
}

/** A few at a time: the server has other users. Results in the order of the assets. */
async function inTurns<T>(
  assets: readonly StoredAsset[],
  read: (asset: StoredAsset) => Promise<T>,
): Promise<T[]> {
  const results: T[] = [];
  let next = 0;
  const turn = async () => {
    while (next < assets.length) {
      const index = next++;
      results[index] = await read(assets[index]);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, turn));
  return results;
}
