/** Where a user's own files lie. */
import { homedir } from 'node:os';
import { join } from 'node:path';

/** The home folder; undefined where the system knows none for this user. */
export function homeFolder(): string | undefined {
  try {
    return homedir() || undefined;
  } catch {
    return undefined;
  }
}

/** Of files that can be made again: `$XDG_CACHE_HOME`, or `~/.cache`; undefined without a home. */
export function cacheFolder(): string | undefined {
  const { XDG_CACHE_HOME } = process.env;
  if (XDG_CACHE_HOME) return XDG_CACHE_HOME;
  const home = homeFolder();
  return home && join(home, '.cache');
}
