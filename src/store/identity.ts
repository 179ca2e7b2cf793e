/** Which server process, in which term, has taken our writes. */
import type { Db } from 'mongodb';

/**
 * Names the primary's process and its election. It changes when the server restarts or another member is elected, which are the
 * two ways in which an acknowledged but not yet durable write can be lost; so two equal identities with a journaled
 * majority write between them prove that all earlier writes are durable.
 */
export async function serverIdentity(db: Db): Promise<string> {
  const hello = await db.admin().command({ hello: 1 }, { readPreference: 'primary' });
  const processId = hello.topologyVersion?.processId?.toString() ?? '';
  return `${hello.me ?? ''}/${processId}/${hello.electionId?.toString() ?? ''}`;
}
