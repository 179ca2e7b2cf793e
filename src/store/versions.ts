/** Versions of servers, as they name them: `6.0.5`, `7.0.0-rc1`. */

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
