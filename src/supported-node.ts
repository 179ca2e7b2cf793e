/**
 * Which versions of Node this program runs on. Everything else here may need a newer one: this is
 * read first, so it imports nothing.
 */

/** `engines` of package.json says the same. */
const LEAST_MAJOR = 20;
const LEAST_MINOR = 19;

/** Why this Node will not do, in one line; undefined where it does. */
export function nodeRefusal(version: string): string | undefined {
  const [major, minor] = version.split('.').map(Number);
  if (major > LEAST_MAJOR || (major === LEAST_MAJOR && minor >= LEAST_MINOR)) return undefined;
  return `Node ${version} is too old: seed-database needs Node ${LEAST_MAJOR}.${LEAST_MINOR} or newer`;
}
