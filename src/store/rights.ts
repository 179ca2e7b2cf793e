/** What a user may do in a database, by the server's own word. */
import type { Db, Document } from 'mongodb';

/** Actions by the server's names, such as `insert`, `createIndex`, `dropCollection`. */
export interface Rights {
  /** `name@database`; undefined: nobody is logged in. */
  readonly user: string | undefined;
  /** True also where the server does not say. */
  readonly allows: (action: string, collection: string) => boolean;
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
  if (!user || !privileges) return { user: user && `${user.user}@${user.db}`, allows: () => true };
  return {
    user: `${user.user}@${user.db}`,
    allows: (action, collection) =>
      privileges.some(
        ({ resource, actions }) => actions.includes(action) && covers(resource, db.databaseName, collection),
      ),
  };
}

function covers(resource: Document, database: string, collection: string): boolean {
  if (resource.anyResource === true) return true;
  const fits = (pattern: unknown, name: string) => pattern === '' || pattern === name;
  return fits(resource.db, database) && fits(resource.collection, collection);
}
