/**
 * FerretDB 1.24.2, built from its Go module: a server that speaks MongoDB's protocol and is none.
 */
import { execFile } from 'node:child_process';
import { chmod, cp, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { binaryCacheDirectory } from '../src/embedded/state.js';

const VERSION = 'v1.24.2';
const MODULE = `github.com/FerretDB/FerretDB@${VERSION}`;
/** Go's checksum of the module's files, as its checksum database has it. */
const SUM = 'h1:trrUU0LbmusMbyubhPS1IELncvrIwKrsRT2LW1UUWCw=';
const BUILD_TIMEOUT_MS = 30 * 60_000;

/**
 * Path of the binary; built once, then from the cache.
 * @throws Error where there is no Go, the module cannot be had, or its checksum differs
 */
export async function ferretdbBinary(): Promise<string> {
  const cache = binaryCacheDirectory();
  const path = join(cache, `ferretdb-${VERSION}`);
  const run = promisify(execFile);
  const works = await run(path, ['--version']).catch(() => undefined);
  if (works?.stdout.includes(VERSION)) return path;
  const { stdout } = await run('go', ['mod', 'download', '-json', MODULE], { timeout: BUILD_TIMEOUT_MS });
  const { Dir: source, Sum: sum } = JSON.parse(stdout) as { readonly Dir: string; readonly Sum: string };
  if (sum !== SUM) throw new Error(`${MODULE} has the checksum ${sum}, not ${SUM}: refused`);
  const scratch = await mkdtemp(join(tmpdir(), 'seed-database-ferretdb-'));
  try {
    // Go's own copy is read-only, and the build wants the version in a file.
    await cp(source, scratch, { recursive: true });
    for (const folder of [scratch, join(scratch, 'build'), join(scratch, 'build', 'version')]) {
      await chmod(folder, 0o755);
    }
    const versionFile = join(scratch, 'build', 'version', 'version.txt');
    await rm(versionFile, { force: true });
    await writeFile(versionFile, VERSION);
    const built = join(scratch, 'ferretdb-built');
    await run('go', ['build', '-o', built, './cmd/ferretdb'], { cwd: scratch, timeout: BUILD_TIMEOUT_MS });
    const beside = `${path}.${process.pid}`;
    await cp(built, beside);
    await rename(beside, path);
    return path;
  } finally {
    await makeRemovable(scratch);
    await rm(scratch, { recursive: true, force: true });
  }
}

/** Nothing can be removed from folders that are read-only, as those of Go's copy are. */
async function makeRemovable(folder: string): Promise<void> {
  await chmod(folder, 0o755);
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) await makeRemovable(join(folder, entry.name));
  }
}
