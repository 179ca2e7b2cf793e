/**
 * Folders and an environment of a test's own: no test reads or writes the user's cache and data.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

/** A temporary folder that is removed after the test. */
export async function scratchFolder(context: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'seed-database-embedded-'));
  context.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** Sets variables (undefined: unsets) until the test ends. */
export function withEnvironment(context: TestContext, changes: Record<string, string | undefined>): void {
  for (const [name, value] of Object.entries(changes)) {
    const before = process.env[name];
    assign(name, value);
    context.after(() => assign(name, before));
  }
}

function assign(name: string, value: string | undefined): void {
  if (value === undefined) delete process.env[name];
  else process.env[name] = value;
}

/** A shell script that answers `--version` as mongod does, and otherwise runs `body`. */
export async function fakeMongod(folder: string, version: string, body = 'exit 1'): Promise<string> {
  const path = join(folder, 'mongod');
  await writeFile(path, fakeMongodScript(version, body), { mode: 0o755 });
  return path;
}

/** The text of {@link fakeMongod}. */
export function fakeMongodScript(version: string, body = 'exit 1'): string {
  return `#!/bin/sh\nif [ "$1" = --version ]; then echo "db version v${version}"; exit 0; fi\n${body}\n`;
}
