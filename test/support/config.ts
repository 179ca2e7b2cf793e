/** Reading a configuration in tests, without files unless a test makes one. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Configuration, readConfiguration } from '../../src/config/configuration.js';
import type { SettingSources } from '../../src/config/sources.js';
import { SeedError } from '../../src/errors.js';

/** A folder that no test writes to: it holds no `.env`. */
const NOWHERE = join(tmpdir(), 'seed-database-no-such-folder');

/** Noon of a day that stays the same. */
export const NOW = new Date('2025-02-09T12:00:00Z');

/** The configuration of these sources. */
export function configure(sources: Partial<SettingSources> = {}): Configuration {
  return readConfiguration({ flags: {}, environment: {}, directory: NOWHERE, ...sources }, NOW);
}

/** The one line with which these sources are refused. */
export function refusal(sources: Partial<SettingSources>): string {
  try {
    configure(sources);
  } catch (error) {
    assert.ok(error instanceof SeedError, `not an expected failure: ${error}`);
    assert.equal(error.exitStatus, 2);
    assert.doesNotMatch(error.message, /[\r\n]/);
    return error.message;
  }
  assert.fail(`accepted: ${JSON.stringify(sources)}`);
}

/** Runs `use` with a new folder that holds these files. */
export async function withFolder<T>(
  files: Readonly<Record<string, string>>,
  use: (folder: string) => T | Promise<T>,
): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'seed-database-config-'));
  try {
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
    return await use(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
