/**
 * The folder that an export makes: one export at a time, and what appears under its name is whole.
 */
import { existsSync, mkdirSync, readdirSync, realpathSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ExitStatus, SeedError } from '../errors.js';
import { withFileLock } from '../system/file-lock.js';

/**
 * The file that says what an export is of; and, for `--clean`, that a folder is an export's and may
 * go.
 */
export const MANIFEST = 'export.json';

export interface FolderToMake {
  readonly out: string;
  /** Replace what is there. */
  readonly clean: boolean;
}

/**
 * Has `fill` write into `<out>.part`, which becomes `out` in one step when it is done; undefined:
 * it was not, and nothing is left. `<out>.lock` is held meanwhile.
 * @throws SeedError where the folder is in use or another process exports into it, or it cannot be
 *   written
 */
export async function makeFolder<T extends object>(
  { out, clean }: FolderToMake,
  fill: (partial: string) => Promise<T | undefined>,
): Promise<T | undefined> {
  try {
    const folder = existsSync(out) ? realpathSync(out) : out;
    mkdirSync(dirname(folder), { recursive: true, mode: 0o700 });
    const lock = { timeoutMs: 0, refusal: (holder: string) => heldBy(out, holder) };
    return await withFileLock(`${folder}.lock`, lock, () => makeAlone({ out: folder, clean }, fill));
  } catch (error) {
    throw explained(error, out);
  }
}

async function makeAlone<T extends object>(
  { out, clean }: FolderToMake,
  fill: (partial: string) => Promise<T | undefined>,
): Promise<T | undefined> {
  const partial = `${out}.part`;
  const replaced = `${out}.old`;
  for (const folder of clean ? [partial, replaced, out] : [partial]) refuseForeign(folder);
  if (!clean && holds(out)) throw inUse(out, 'replace it with --clean');
  try {
    remove(partial);
    mkdirSync(partial, { mode: 0o700 });
    const filled = await fill(partial);
    if (filled === undefined) remove(partial);
    else if (clean) replace(out, partial, replaced);
    else renameSync(partial, out);
    return filled;
  } catch (error) {
    discard(partial);
    throw error;
  }
}

/** Two renames: whoever reads the folder finds the old export or the new one, whole. */
function replace(out: string, partial: string, replaced: string): void {
  remove(replaced);
  if (existsSync(out)) renameSync(out, replaced);
  renameSync(partial, out);
  discard(replaced);
}

/**
 * Removes a folder, the sign that it may go last: whoever is killed meanwhile leaves it to the
 * next.
 */
function remove(folder: string): void {
  if (!existsSync(folder)) return;
  for (const name of readdirSync(folder)) {
    if (name !== MANIFEST) rmSync(join(folder, name), { recursive: true, force: true });
  }
  rmSync(folder, { recursive: true, force: true });
}

function holds(folder: string): boolean {
  return existsSync(folder) && readdirSync(folder).length > 0;
}

/** @throws SeedError for a folder that is to be replaced and has not been made by an export */
function refuseForeign(folder: string): void {
  if (holds(folder) && !existsSync(join(folder, MANIFEST))) throw inUse(folder, 'remove it yourself');
}

function inUse(folder: string, orElse: string): SeedError {
  return new SeedError(
    ExitStatus.targetNotReady,
    `folder ${folder} is not empty`,
    `name another one with --out, or ${orElse}`,
  );
}

function heldBy(out: string, holder: string): SeedError {
  return new SeedError(
    ExitStatus.targetNotReady,
    `${holder} is exporting into ${out}`,
    'wait for it to finish, or name another folder with --out',
  );
}

/** As far as it goes: the failure that led here is the one to tell. */
function discard(folder: string): void {
  try {
    remove(folder);
  } catch {}
}

function explained(error: unknown, out: string): unknown {
  if (error instanceof SeedError) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new SeedError(
      ExitStatus.outOfSpace,
      `no disk space left for ${out}: ${message}`,
      'make room, or name another disk with --out',
    );
  }
  if (code === undefined) return error;
  return new SeedError(
    ExitStatus.failure,
    `cannot write ${out}: ${message}`,
    'name another folder with --out',
  );
}
