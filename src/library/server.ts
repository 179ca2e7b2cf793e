/** A server before it is loaded: whether a load could end well on it, and one that is kept up. */
import { availableParallelism } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Settings } from '../config/settings.js';
import { explainFailure } from '../connect/retry.js';
import { openTarget, type Target } from '../connect/target.js';
import { type RequestedLoad, requestedLoad, workersFor } from '../dataset/dataset.js';
import { estimateSize } from '../dataset/generate.js';
import { isAlive, isPortFree } from '../embedded/mongod.js';
import { type EmbeddedServerOptions, startEmbeddedServer } from '../embedded/server.js';
import { embeddedLocations, runningServer } from '../embedded/state.js';
import { ExitStatus, SeedError } from '../errors.js';
import { inspectTarget, type TargetFacts } from '../inspect/inspect.js';
import { DROPPED, type Obstacle, obstaclesTo, unindexable, type Wanted } from '../inspect/obstacles.js';
import { canHold, refuseWriteConcerns } from '../inspect/server.js';
import { assetDocuments } from '../load/collections.js';
import { plannedLife, refuseExpired } from '../load/expiry.js';
import { bytes, count } from '../output/format.js';
import { instantOf } from '../plan/plan.js';
import { drawLoader, heldByAnother } from '../runs/owner.js';
import { STOPPED_CLEANING } from '../runs/run-document.js';
import { runHistory } from '../runs/run-history.js';
import { RunStore } from '../runs/run-store.js';
import { collectionsWithData, existingLayout } from '../store/schema.js';
import { freeBytes } from '../store/statistics.js';

// Can a load with these settings end well, and if not, what would help?

/** One thing that was looked at. */
export interface Finding {
  readonly subject: string;
  readonly state: 'good' | 'warning' | 'bad';
  readonly detail: string;
  /** What to do; empty where nothing has to be done. */
  readonly remedy: string;
  /** Of a load that meets this, where it is bad. */
  readonly exitStatus: ExitStatus;
}

/** Beside the data a server needs room for its journal and for compaction. */
const ROOM_FACTOR = 1.5;
const JOURNAL_BYTES = 300_000_000;

/**
 * Looks at everything that a load with these settings depends on, and writes nothing.
 * @param found told of each finding as soon as it is made
 */
export async function examine(
  settings: Settings,
  inform: (message: string) => void,
  found: (finding: Finding) => void = () => undefined,
): Promise<Finding[]> {
  const findings: Finding[] = [];
  const add = (subject: string, finding: Omit<Finding, 'subject'>) => {
    findings.push({ subject, ...finding });
    found({ subject, ...finding });
  };
  add('This machine', thisMachine(settings));
  let target: Target | undefined;
  try {
    target = await openTarget(settings.connection, inform);
    const { db, server } = target;
    add('Connection', good(`${server.uri}, database ${db.databaseName}`));
    const facts = await inspectTarget(db);
    const planned = await requestedLoad(settings.load, new Date());
    const wanted = wantedOf(planned, settings);
    const obstacles = [...obstaclesTo(wanted, facts), ...one(await unindexable(db, facts, wanted))];
    const about = (subject: Obstacle['subject']) =>
      obstacles.filter((one) => one.subject === subject).map(bad);
    const [unfit] = about('server');
    add('Server', unfit ?? (await writesFinding(target, facts, settings)) ?? serverFinding(facts));
    if (!unfit) {
      add('Rights', about('rights')[0] ?? rightsFinding(facts));
      add('Layout', layoutFinding(facts, settings));
      add('Room', roomFinding(planned, await freeBytes(db), facts, settings));
      add('Database', await databaseFinding(target, settings, inform));
      for (const finding of about('collections')) add('Collections', finding);
      if (about('collections').length === 0) {
        for (const finding of expiryFindings(planned, facts, settings)) add('Expiry', finding);
      }
    }
  } catch (thrown) {
    const error = target ? explainFailure(thrown, (cause) => target?.explain(cause)) : thrown;
    if (!(error instanceof SeedError)) throw error;
    add(target ? 'Database' : 'Connection', bad(error));
  } finally {
    await target?.close();
  }
  return findings;
}

function good(detail: string): Omit<Finding, 'subject'> {
  return { state: 'good', detail, remedy: '', exitStatus: ExitStatus.done };
}

function warning(detail: string, remedy: string): Omit<Finding, 'subject'> {
  return { state: 'warning', detail, remedy, exitStatus: ExitStatus.done };
}

function thisMachine(settings: Settings): Omit<Finding, 'subject'> {
  const workers = workersFor(settings, undefined);
  const cores = availableParallelism();
  return good(
    `Node ${process.version}, ${cores} ${cores === 1 ? 'core' : 'cores'}, ${workers} ${workers === 1 ? 'worker' : 'workers'}`,
  );
}

function one<T>(found: T | undefined): T[] {
  return found === undefined ? [] : [found];
}

function bad({
  message,
  remedy,
  exitStatus,
}: Pick<Obstacle, 'message' | 'remedy' | 'exitStatus'>): Omit<Finding, 'subject'> {
  return { state: 'bad', detail: message, remedy, exitStatus };
}

function wantedOf({ fleet, plan }: RequestedLoad, { load }: Settings): Wanted {
  const lastUpdated = instantOf(plan.window.end);
  return {
    layout: load.layout,
    cleaning: false,
    ttlDays: load.ttlDays,
    events: load.events,
    resuming: false,
    oldest: plan.records > 0 ? instantOf(plan.window.start) : undefined,
    lastUpdated,
    now: new Date(),
    assets: () => assetDocuments(fleet, lastUpdated),
  };
}

/** What a load would say of records that the server removes. */
function expiryFindings(
  planned: RequestedLoad,
  facts: TargetFacts,
  { load }: Settings,
): Omit<Finding, 'subject'>[] {
  const said: Omit<Finding, 'subject'>[] = [];
  try {
    refuseExpired(planned, plannedLife(facts, false, load), (message) => said.push(warning(message, '')));
  } catch (error) {
    if (!(error instanceof SeedError)) throw error;
    said.push(bad(error));
  }
  return said;
}

/** What a load would say of write concerns that cannot be met. */
async function writesFinding(
  target: Target,
  { server }: TargetFacts,
  { load }: Settings,
): Promise<Omit<Finding, 'subject'> | undefined> {
  try {
    await refuseWriteConcerns(target.db, server, load.writeConcern);
    return undefined;
  } catch (error) {
    const explained = target.explain(error);
    if (!(explained instanceof SeedError)) throw error;
    return bad(explained);
  }
}

function serverFinding({ server: { version, kind, members } }: TargetFacts): Omit<Finding, 'subject'> {
  if (kind === 'router') {
    return warning(
      `MongoDB ${version}, router of a sharded cluster`,
      'each batch is written with the majority write concern; see docs/reliability.md',
    );
  }
  return good(`MongoDB ${version}, ${kind}${kind === 'replica set' ? ` of ${members}` : ''}`);
}

function rightsFinding({ rights: { user, allows } }: TargetFacts): Omit<Finding, 'subject'> {
  if (user === undefined) return good('the server has no access control');
  if (!DROPPED.every((name) => allows('dropCollection', name))) {
    return warning(`user ${user} may load, but not --clean`, 'that needs dropCollection as well');
  }
  return good(`user ${user} may load and --clean`);
}

function layoutFinding({ server }: TargetFacts, { load }: Settings): Omit<Finding, 'subject'> {
  const { timeSeries, clustered, trimsTimeSeries } = canHold(server);
  const can = [
    ...(timeSeries ? ['time-series collections'] : []),
    ...(clustered ? ['clustered collections'] : []),
    ...(trimsTimeSeries ? ['trimming of time-series'] : []),
  ];
  return good(`${load.layout}; the server has ${can.join(', ') || 'ordinary collections only'}`);
}

function roomFinding(
  { fleet, plan }: RequestedLoad,
  free: number | undefined,
  { server }: TargetFacts,
  { load }: Settings,
): Omit<Finding, 'subject'> {
  const { storageBytes, indexBytes } = estimateSize(fleet, plan, load, canHold(server).compresses);
  const needed = (storageBytes + indexBytes) * ROOM_FACTOR + JOURNAL_BYTES;
  const planned = `${count(plan.records)} records take about ${bytes(storageBytes + indexBytes)}`;
  if (free === undefined) return good(`${planned}; the server does not say what is free`);
  const detail = `${planned}, ${bytes(free)} are free`;
  if (free >= needed) return good(detail);
  return {
    state: 'bad',
    detail,
    remedy: `make room for ${bytes(Math.round(needed))}, journal included, or load fewer --days`,
    exitStatus: ExitStatus.outOfSpace,
  };
}

async function databaseFinding(
  { db, books }: Target,
  { load }: Settings,
  notice: (message: string) => void,
): Promise<Omit<Finding, 'subject'>> {
  const held = await heldByAnother(new RunStore(books, drawLoader(), {}), notice);
  if (held) return bad(held);
  const [holding, layout, runs] = await Promise.all([
    collectionsWithData(db),
    existingLayout(db),
    runHistory(books),
  ]);
  if (holding.length === 0 && runs.length === 0) return good('empty');
  const [newest] = runs;
  const what =
    newest === undefined
      ? `data in ${holding.join(', ')}`
      : 'state' in newest
        ? `run ${newest.runId} (seed ${newest.seed}, ${newest.state})`
        : `run ${newest.runId}, whose document cannot be used`;
  const detail = `it holds ${what}${layout && layout !== load.layout ? `, in the ${layout} layout` : ''}`;
  if (newest && 'state' in newest && newest.state === 'complete') {
    return warning(detail, 'refresh extends it, --clean replaces it, --skip-cleanup adds to it');
  }
  const cleaning = newest && 'state' in newest && newest.cleaning ? `, which ${STOPPED_CLEANING}` : '';
  return warning(
    `${detail}${cleaning}`,
    '--resume finishes an unfinished run, --clean replaces what is there',
  );
}

// Keeps the embedded server up for other programs.

/** MongoDB's own port: what every client tries first. */
const DEFAULT_PORT = 27017;

/** Milliseconds between two looks at whether mongod still lives. */
const WATCH_MS = 500;

/**
 * Starts the embedded server (on 27017 when no port is asked and that one is free), or joins the
 * one that runs, says its URI, and stops it cleanly when `stopped` is aborted, be it during the
 * start.
 * @throws SeedError as {@link startEmbeddedServer}, or when mongod ends by itself
 */
export async function serveUntilStopped(options: EmbeddedServerOptions, stopped: AbortSignal): Promise<void> {
  const server = await startEmbeddedServer({ ...options, port: options.port ?? (await preferredPort()) });
  options.notice(`MongoDB ${server.version} is up at ${server.uri} (Ctrl-C stops it)`);
  while (!stopped.aborted && isAlive(server.pid)) {
    await sleep(WATCH_MS, undefined, { signal: stopped }).catch(() => undefined);
  }
  const ended = !stopped.aborted;
  options.notice('stopping MongoDB');
  await server.stop();
  if (ended) {
    throw new SeedError(
      ExitStatus.failure,
      `MongoDB (process ${server.pid}) ended by itself`,
      'somebody killed it, or memory or disk ran out: see the system log',
    );
  }
}

/**
 * 27017 when it is free, and no preference when another embedded server runs: that one is joined.
 */
async function preferredPort(): Promise<number | undefined> {
  if ((await runningServer(embeddedLocations().stateFile)) !== undefined) return undefined;
  return (await isPortFree(DEFAULT_PORT)) ? DEFAULT_PORT : undefined;
}
