/** What a server can hold and confirm, and what a user may do there. */

import type { Db, Document } from 'mongodb';
import type { Layout } from '../config/settings.js';
import { refuseUnmetWrites } from '../connect/bookkeeping.js';
import { LOCKED, NO_SCANS, WRITES_BLOCKED } from '../connect/refusals.js';
import { ExitStatus, usageError } from '../errors.js';
import { METRIC_BUCKETS, METRICS } from '../store/collections.js';
import { isAtLeast } from '../store/server.js';
import type { ServerFacts } from './inspect.js';
import type { Obstacle } from './obstacles.js';

/**
 * Looks at the write concerns of a load: the one that was chosen, for its records, and for the rest
 * that of the connection string or the server's default.
 * @throws SeedError, or the server's error, for one that can never be met
 */
export async function refuseWriteConcerns(
  db: Db,
  server: ServerFacts,
  chosen: string | number | undefined,
): Promise<void> {
  refuseWriteConcern(server, chosen);
  if (chosen !== undefined) await refuseUnmetWrites(db, chosen);
  await refuseUnmetWrites(db);
}

/** @throws SeedError (usage) where more members should acknowledge a write than there are */
function refuseWriteConcern({ kind, members }: ServerFacts, w: string | number | undefined): void {
  const most = kind === 'standalone' ? 1 : members;
  if (typeof w !== 'number' || kind === 'router' || w <= most) return;
  throw usageError(
    `--write-concern ${w} can never be met: ${most === 1 ? 'one member holds' : `${most} members hold`} data`,
    'change it (or w in the connection string), or leave it out',
  );
}

/** The oldest servers that are known to work. */
const OLDEST_SERVER = '4.4';

const OLDEST_TIME_SERIES = '5.0';

export interface Abilities {
  readonly timeSeries: boolean;
  readonly clustered: boolean;
  /** Deletes by time from a time-series collection, which trimming needs. */
  readonly trimsTimeSeries: boolean;
  /** Compresses the buckets of time-series. */
  readonly compresses: boolean;
}

/**
 * What a server can do, by its version and by the older one that it may have been told to stay
 * compatible with.
 */
export function canHold(server: ServerFacts): Abilities {
  const can = (major: number, minor: number) =>
    isAtLeast(server.version, major, minor) &&
    (server.featureVersion === undefined || isAtLeast(server.featureVersion, major, minor));
  return { timeSeries: can(5, 0), clustered: can(5, 3), trimsTimeSeries: can(7, 0), compresses: can(5, 2) };
}

export function serverObstacle(server: ServerFacts, layout: Layout): Obstacle | undefined {
  const { version, featureVersion, otherProduct } = server;
  const notReady = (message: string, remedy: string): Obstacle => ({
    subject: 'server',
    exitStatus: ExitStatus.targetNotReady,
    message,
    remedy,
  });
  if (otherProduct !== undefined) {
    return notReady(
      `the server is ${otherProduct}, which lacks what a load needs of MongoDB`,
      `use MongoDB ${OLDEST_SERVER} or newer`,
    );
  }
  if (!isAtLeast(version, 4, 4)) {
    return notReady(
      `MongoDB ${version} is too old: ${OLDEST_SERVER} or newer is needed`,
      'use a newer server',
    );
  }
  if (server.closed) return closedServer(server.closed);
  if (layout !== 'timeseries' || canHold(server).timeSeries) return undefined;
  if (!isAtLeast(version, 5, 0)) {
    return notReady(
      `MongoDB ${version} has no time-series collections (${OLDEST_TIME_SERIES} and later have)`,
      'use --layout flat, or a newer server',
    );
  }
  return notReady(
    `MongoDB ${version} has no time-series collections while its feature compatibility version is ${featureVersion}`,
    `use --layout flat, or have an administrator run setFeatureCompatibilityVersion: "${version.split('.').slice(0, 2).join('.')}"`,
  );
}

/** What an administrator has seen to, and how it is undone. */
function closedServer(closed: NonNullable<ServerFacts['closed']>): Obstacle {
  const made = (exitStatus: ExitStatus, message: string, remedy: string): Obstacle => ({
    subject: 'server',
    exitStatus,
    message,
    remedy,
  });
  switch (closed) {
    case 'locked':
      return made(ExitStatus.cannotConnect, ...LOCKED);
    case 'write-blocked':
      return made(ExitStatus.targetNotReady, ...WRITES_BLOCKED);
    case 'without scans':
      return made(ExitStatus.targetNotReady, ...NO_SCANS);
  }
}

// What a user may do in a database, by the server's own word.

/** Actions by the server's names, such as `insert`, `createIndex`, `dropCollection`. */
export interface Rights {
  /** `name@database`; undefined: nobody is logged in. */
  readonly user: string | undefined;
  /** True also where the server does not say. */
  readonly allows: (action: string, collection: string) => boolean;
  /**
   * Whether it may insert into the buckets of `metrics`, which rights on ordinary collections do
   * not cover.
   */
  readonly writesBuckets: boolean;
}

interface Privilege {
  readonly resource: Document;
  readonly actions: readonly string[];
}

/** @throws the driver's errors */
export async function rightsOf(db: Db): Promise<Rights> {
  const { authInfo } = await db.client.db('admin').command({ connectionStatus: 1, showPrivileges: true });
  const [user] = authInfo.authenticatedUsers as { user: string; db: string }[];
  const privileges = authInfo.authenticatedUserPrivileges as readonly Privilege[] | undefined;
  if (!user || !privileges) {
    return { user: user && `${user.user}@${user.db}`, allows: () => true, writesBuckets: true };
  }
  return {
    user: `${user.user}@${user.db}`,
    allows: (action, collection) =>
      privileges.some(
        ({ resource, actions }) => actions.includes(action) && covers(resource, db.databaseName, collection),
      ),
    writesBuckets: privileges.some(
      ({ resource, actions }) => actions.includes('insert') && coversBuckets(resource, db.databaseName),
    ),
  };
}

function covers(resource: Document, database: string, collection: string): boolean {
  if (resource.anyResource === true) return true;
  const fits = (pattern: unknown, name: string) => pattern === '' || pattern === name;
  return fits(resource.db, database) && fits(resource.collection, collection);
}

/** Buckets are named, as such or by the collection that they are of. */
function coversBuckets(
  { anyResource, db, collection, system_buckets: of }: Document,
  database: string,
): boolean {
  if (anyResource === true) return true;
  if (db !== undefined && db !== '' && db !== database) return false;
  return collection === METRIC_BUCKETS || of === '' || of === METRICS;
}
