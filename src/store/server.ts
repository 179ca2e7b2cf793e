/** Which server process, in which term, has taken our writes. */
import type { Db } from 'mongodb';

const ROUTER = 'isdbgrid';

/** True for the identity of a sharded cluster's router. */
export function isRouter(identity: string): boolean {
  return identity === ROUTER;
}

/**
 * Names the primary's process and its election. It changes when the server restarts or another
 * member is elected, which are the two ways in which an acknowledged but not yet durable write can
 * be lost; so two equal identities with a journaled majority write between them prove that all
 * earlier writes are durable.
 */
export async function serverIdentity(db: Db): Promise<string> {
  const hello = await db.admin().command({ hello: 1 }, { readPreference: 'primary' });
  // A router takes no writes itself, and two clients may speak to two of them: there each write has
  // to be durable by itself.
  if (hello.msg === ROUTER) return ROUTER;
  const processId = hello.topologyVersion?.processId?.toString() ?? '';
  return `${hello.me ?? ''}/${processId}/${hello.electionId?.toString() ?? ''}`;
}

// Versions of servers, as they name them: `6.0.5`, `7.0.0-rc1`.

/** `[major, minor]` of a server version. */
export function versionNumbers(version: string): readonly [number, number] {
  const [major, minor = 0] = version.split('.').map(Number);
  return [major, minor];
}

/** True for `version` at least `major.minor`. */
export function isAtLeast(version: string, major: number, minor: number): boolean {
  const [theirMajor, theirMinor] = versionNumbers(version);
  return theirMajor > major || (theirMajor === major && theirMinor >= minor);
}
