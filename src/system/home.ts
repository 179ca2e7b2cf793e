/** Where a user's own files lie, and the compiled code that is kept among them. */
import module from 'node:module';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';

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

// What the engine has compiled of this program, kept from one run to the next. Node 22 and later can
// do that; an earlier one compiles anew.

/** Later than the types of the oldest Node that is supported. */
const { enableCompileCache, getCompileCacheDir } = module as unknown as {
  readonly enableCompileCache?: (folder: string) => unknown;
  readonly getCompileCacheDir?: () => string | undefined;
};

/**
 * Keeps it in the user's cache folder, and nowhere else: code in a folder that others can write is
 * code of others. A folder that cannot be written is no reason to stop. Node's own NODE_COMPILE_CACHE
 * and NODE_DISABLE_COMPILE_CACHE are obeyed.
 */
export function keepCompiledCode(): void {
  if (!enableCompileCache || process.env.NODE_COMPILE_CACHE) return;
  const folder = cacheFolder();
  if (folder) enableCompileCache(join(folder, 'seed-database', 'compiled'));
}

/** The environment for a thread of this process, which keeps its code in the same place. */
export function environmentOfThread(): NodeJS.ProcessEnv {
  const folder = getCompileCacheDir?.();
  // Node makes a folder for its version in the one that it is given.
  return folder === undefined ? process.env : { ...process.env, NODE_COMPILE_CACHE: dirname(folder) };
}
