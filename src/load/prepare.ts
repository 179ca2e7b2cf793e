/** Looks at the target, applies the rules, and takes hold of it. */
import { ObjectId } from 'mongodb';
import { SECTIONS, type Settings } from '../config/settings.js';
import { withRetry } from '../connect/retry.js';
import type { Target } from '../connect/target.js';
import { ExitStatus, SeedError, usageError } from '../errors.js';
import { inspectTarget, type TargetFacts } from '../inspect/inspect.js';
import {
  refuse,
  refuseForeignRuns,
  refuseObstacles,
  refuseServer,
  unindexable,
  type Wanted,
} from '../inspect/obstacles.js';
import { canHold, refuseWriteConcerns } from '../inspect/server.js';
import { instantOf, planLoad } from '../plan/plan.js';
import { keptBeside } from '../runs/beside.js';
import { DatabaseHeld, refuseWhileHeld } from '../runs/owner.js';
import { datasetOf, fleetOf, type RunDocument, runMarks } from '../runs/run-document.js';
import type { NewRun, RunStore } from '../runs/run-store.js';
import { ASSETS, METRICS } from '../store/collections.js';
import { assetDocuments } from './collections.js';
import { type Life, plannedLife, refuseExpired } from './expiry.js';
import { askForForeign, type Confirm, foreignTo } from './foreign.js';
import { decideStart, type Request, type Start } from './start.js';
import { refuseUnexplained } from './unexplained.js';

export interface PrepareInput {
  readonly target: Target;
  readonly store: RunStore;
  readonly request: Request;
  readonly settings: Settings;
  /** The document of a run that starts afresh. */
  readonly newRun: (runId: string) => NewRun;
  readonly notice: (message: string) => void;
  /** Asks before something that cannot be undone; undefined: nobody is there to be asked. */
  readonly confirm: Confirm | undefined;
  /** Refuses, before anything is written, what is known not to work. @throws SeedError */
  readonly refuse: (start: Extract<Start, { kind: 'fresh' }>, facts: TargetFacts) => void;
}

/**
 * `runId` is the run that is held now, or the one that needs no work; undefined where there is
 * none.
 */
export interface Prepared {
  readonly start: Start;
  readonly runId: string | undefined;
  /** What the target was when it was looked at. */
  readonly facts: TargetFacts;
  /** Runs that stay in the database beside this one. */
  readonly beside?: readonly RunDocument[];
  readonly expiry?: Expiry;
}

/** What the server will remove by itself. */
export interface Expiry {
  readonly life: Life | undefined;
  /** Records that go as soon as they are loaded. */
  readonly expired: number;
}

/** Each round is lost only to another loader that came and went in the meantime. */
const ROUNDS = 5;

/**
 * Decides what to do with the target and, where there is something to do, holds it afterwards.
 * @throws SeedError where the target cannot hold the dataset, where another loader holds it, where
 *   it is not empty and nothing was said about that, or where options contradict the run to resume.
 *   Nothing is written before that.
 */
export async function prepareTarget(input: PrepareInput): Promise<Prepared> {
  const { target, store, request, settings, notice } = input;
  const { load } = settings;
  if (load.existing === 'clean' && load.environment === 'production' && !load.confirmed) {
    throw usageError(
      `--clean would remove data of the production database ${target.db.databaseName}`,
      'add --yes if that is what you want',
    );
  }
  for (let round = 0; round < ROUNDS; round++) {
    const facts = await inspect(input);
    await refuseWhileHeld(store, notice);
    const known = await withRetry(() => runMarks(target.books), store.retry);
    // With --clean stored runs are about to go, so even one that cannot be read is no obstacle.
    const runs = load.existing === 'clean' ? [] : await store.list();
    const start = await decided(input, facts, () =>
      decideStart({ runs, collectionsWithData: withData(facts) }, request, load),
    );
    if (start.kind === 'already complete' || start.kind === 'nothing to resume') {
      return { start, runId: start.run?._id, facts };
    }
    const expiry = expiryFor(input, facts, start);
    if (start.kind === 'resume') {
      refuseOtherPlan(start.run);
      if (start.run.cleaning) {
        await askForForeign({ ...input, facts, load, resumed: start.run._id });
        notice(
          `run ${start.run._id} was stopped while it removed the data of this database: it goes on with that`,
        );
      }
      await store.resume(start.run);
      return { start, runId: start.run._id, facts, expiry };
    }

    if (!start.clean) {
      await withRetry(() => refuseUnexplained(target.db, request, runs, withData(facts)), store.retry);
    }
    input.refuse(start, facts);
    if (start.clean) await askForForeign({ ...input, facts, load });
    refuseUnlessExtended(runs, load.extending, request);
    const beside = start.clean || load.extending !== undefined ? [] : keptBeside(runs, request, notice);
    const runId = new ObjectId().toHexString();
    await store.begin({ ...input.newRun(runId), ...(await othersHere(input, facts, start.clean)) });
    // What was decided holds only if nobody has begun and ended a load since.
    if ((await withRetry(() => runMarks(target.books, runId), store.retry)) === known)
      return { start, runId, facts, beside, expiry };
    await store.withdraw(runId);
  }
  throw new SeedError(
    ExitStatus.targetNotReady,
    'other loaders come and go on this database',
    'try again later',
  );
}

/**
 * @throws SeedError where the run that is to be extended is not there as it was when that was
 * decided
 */
function refuseUnlessExtended(
  runs: readonly RunDocument[],
  extending: string | undefined,
  { dataset }: PrepareInput['request'],
): void {
  if (extending === undefined) return;
  const base = runs.find(({ _id }) => _id === extending);
  if (base?.state === 'complete' && datasetOf(base).window.end === dataset.window.start) return;
  throw new DatabaseHeld(
    `another loader has changed run ${extending} since it was looked at`,
    'refresh again',
  );
}

/**
 * What of a load will expire.
 * @throws SeedError where that is all of it, or where `--ttl-days` cannot be had
 */
export function expiryFor(
  { request, settings: { load }, notice }: Pick<PrepareInput, 'request' | 'settings' | 'notice'>,
  facts: TargetFacts,
  start: Extract<Start, { kind: 'fresh' | 'resume' }>,
): Expiry {
  const run = start.kind === 'resume' ? start.run : undefined;
  const wanted = run ? { dataset: datasetOf(run), fleet: fleetOf(run) } : request;
  const life = plannedLife(facts, load.existing === 'clean' || run?.cleaning === true, load);
  return { life, expired: refuseExpired(wanted, life, notice) };
}

/**
 * Names of the collections with documents that no run has put there: a later `--clean` asks before
 * they go.
 */
async function othersHere(
  { store }: PrepareInput,
  facts: TargetFacts,
  clean: boolean,
): Promise<Pick<RunDocument, 'beside'>> {
  const holding = withData(facts);
  if (clean || holding.length === 0) return {};
  const names = foreignTo(facts, await store.documents()).map(({ name }) => name);
  const beside = names.filter((name) => holding.includes(name));
  return beside.length > 0 ? { beside } : {};
}

/**
 * Looks at the target. @throws SeedError for a server that cannot hold any dataset, and for a
 * `seed_runs` of somebody else's
 */
export async function inspect({
  target,
  store,
  settings,
}: Pick<PrepareInput, 'target' | 'store' | 'settings'>): Promise<TargetFacts> {
  const facts = await withRetry(() => inspectTarget(target.db), store.retry);
  refuseServer(facts.server);
  const { writeConcern } = settings.load;
  await withRetry(() => refuseWriteConcerns(target.db, facts.server, writeConcern), store.retry);
  refuseForeignRuns(facts, settings.load.existing === 'clean');
  return facts;
}

/** Names of the data collections that hold documents. */
export function withData({ collections }: TargetFacts): string[] {
  return ([ASSETS, METRICS] as const).filter((name) => {
    const facts = collections[name];
    return facts.kind === 'view' || (facts.kind !== 'absent' && !facts.empty);
  });
}

/**
 * What is to be done with a target that can hold what is to be written.
 * @throws SeedError for what is in the way of that, before whatever `decide` throws: no choice of
 *   existing data would help then
 */
export async function decided<T extends Start>(
  { target, store, request, settings: { load }, notice }: PrepareInput,
  facts: TargetFacts,
  decide: () => T,
): Promise<T> {
  const wantedFor = (start: Start | undefined): Wanted => {
    const run = start && 'run' in start ? start.run : undefined;
    const { layout, window, sections } = run ? datasetOf(run) : request.dataset;
    const lastUpdated = instantOf(window.end);
    return {
      layout,
      cleaning: load.existing === 'clean' || run?.cleaning === true,
      ttlDays: load.ttlDays,
      events: run ? run.events === true : load.events,
      resuming: run !== undefined || load.extending !== undefined,
      oldest: sections.length > 0 ? instantOf(window.start) : undefined,
      lastUpdated,
      now: new Date(),
      assets: () => assetDocuments(run ? fleetOf(run) : request.fleet, lastUpdated),
    };
  };
  let start: T;
  try {
    start = decide();
  } catch (error) {
    const notReady = error instanceof SeedError && error.exitStatus === ExitStatus.targetNotReady;
    if (notReady) refuseObstacles(wantedFor(undefined), facts);
    throw error;
  }
  if (start.kind === 'already complete' || start.kind === 'nothing to resume') return start;
  const wanted = wantedFor(start);
  refuseObstacles(wanted, facts);
  refuse(await withRetry(() => unindexable(target.db, facts, wanted), store.retry));
  const anew = wanted.cleaning || facts.collections[METRICS].kind === 'absent';
  const { version, featureVersion } = facts.server;
  const able = canHold({ ...facts.server, featureVersion: undefined });
  if (
    anew &&
    wanted.layout === 'flat' &&
    load.clustered &&
    able.clustered &&
    !canHold(facts.server).clustered
  ) {
    notice(
      `MongoDB ${version} with feature compatibility version ${featureVersion} has no clustered collections: ` +
        'metrics is an ordinary one',
    );
  }
  return start;
}

/** @throws SeedError for a run whose document does not fit what this version would load for it. */
export function refuseOtherPlan(run: RunDocument): void {
  const { window, sections } = datasetOf(run);
  const plan = planLoad(fleetOf(run), window, sections, run.shardDays);
  const fits = SECTIONS.every((section) => plan.counts[section] === run.planned[section]);
  if (fits && plan.shards.length === run.shards) return;
  throw new SeedError(
    ExitStatus.failure,
    `run ${run._id} cannot be resumed: its document does not fit the ${plan.records} records of its period`,
    'it was changed by hand or written by another version; use --clean to start again',
  );
}
