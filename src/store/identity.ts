/** Which server process, in which term, has taken our writes. */
import type { Db } from 'mongodb';

const ROUTER = 'isdbgrid';

/** True for the identity of a sharded cluster's router. */
export function isRouter(identity: string): boolean {
  return identity === ROUTER;
}

/**
 * Names the primary's process and its election. It changes when the server restarts or another member is elected, which are the
 * two ways in which an acknowledged but not yet durable write can be lost; so two equal identities with a journaled
 * majority write between them prove that all earlier writes are durable.
 */
export async function serverIdentity(db: Db): Promise<string> {
  const hello = await db.admin().command({ hello: 1 }, { readPreference: 'primary' });
  // A router takes no writes itself, and two clients may speak to two of them: there each write has to be durable by itself.
  if (hello.msg === ROUTER) return ROUTER;
  const processId = hello.topologyVersion?.processId?.toString() ?? '';
  return `${hello.me ?? ''}/${processId}/${hello.electionId?.toString() ?? ''}`;
}
