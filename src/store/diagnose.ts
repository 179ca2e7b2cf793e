/** What a server says of itself that decides whether a load into it can end well. Reads only. */
import type { Db, Document } from 'mongodb';
import { isAtLeast } from './connect.js';
import { OWN_COLLECTIONS } from './names.js';

/** What a load does in its database, by the server's names of actions. */
const ACTIONS = ['find', 'insert', 'update', 'remove', 'createCollection', 'createIndex'] as const;
/** What `--clean` does besides. */
const CLEAN_ACTION = 'dropCollection';

export interface Diagnosis {
  readonly version: string;
  readonly kind: 'standalone' | 'replica set' | 'router';
  /** Members that hold data, of a replica set. */
  readonly members: number;
  readonly clustered: boolean;
  readonly timeSeries: boolean;
  /** Deletes by time from a time-series collection, which trimming needs. */
  readonly trimsTimeSeries: boolean;
  /** Undefined: the server asks nobody who they are. */
  readonly user: string | undefined;
  /** Actions of a load that the user may not do in this database. */
  readonly missingRights: readonly string[];
  readonly mayClean: boolean;
  /** Bytes left on the file system of the data; undefined where the server does not say. */
  readonly freeBytes: number | undefined;
}

/** @throws the driver's errors */
export async function diagnose(db: Db, version: string): Promise<Diagnosis> {
  const hello = await db.admin().command({ hello: 1 });
  const { user, allowed } = await rights(db);
  return {
    version,
    kind: hello.msg === 'isdbgrid' ? 'router' : hello.setName ? 'replica set' : 'standalone',
    members: (hello.hosts ?? []).length,
    clustered: isAtLeast(version, 5, 3),
    timeSeries: isAtLeast(version, 5, 0),
    trimsTimeSeries: isAtLeast(version, 7, 0),
    user,
    missingRights: allowed ? ACTIONS.filter((action) => !allowed.has(action)) : [],
    mayClean: !allowed || allowed.has(CLEAN_ACTION),
    freeBytes: (await freeBytes(db)) ?? (await freeBytes(db.client.db('admin'))),
  };
}

/** A database that is not there yet has no file system; `admin` is always there, but not everybody may ask it. */
async function freeBytes(db: Db): Promise<number | undefined> {
  const { fsTotalSize = 0, fsUsedSize = 0 } = await db.command({ dbStats: 1 }).catch(() => ({}) as Document);
  return fsTotalSize > 0 ? fsTotalSize - fsUsedSize : undefined;
}

/** Actions that the user may do in every one of this program's collections; undefined where everything is allowed. */
async function rights(db: Db): Promise<{ user?: string; allowed?: ReadonlySet<string> }> {
  const { authInfo } = await db.admin().command({ connectionStatus: 1, showPrivileges: true });
  const [user] = authInfo.authenticatedUsers as { user: string; db: string }[];
  if (!user) return {};
  const privileges = authInfo.authenticatedUserPrivileges as {
    resource: Document;
    actions: readonly string[];
  }[];
  const perCollection = OWN_COLLECTIONS.map(
    (collection) =>
      new Set(
        privileges
          .filter(({ resource }) => covers(resource, db.databaseName, collection))
          .flatMap(({ actions }) => actions),
      ),
  );
  const [first, ...others] = perCollection;
  const everywhere = [...first].filter((action) => others.every((actions) => actions.has(action)));
  return { user: `${user.user}@${user.db}`, allowed: new Set(everywhere) };
}

function covers(resource: Document, database: string, collection: string): boolean {
  if (resource.anyResource === true) return true;
  const fits = (pattern: unknown, name: string) => pattern === '' || pattern === name;
  return fits(resource.db, database) && fits(resource.collection, collection);
}
