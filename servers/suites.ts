/** Which of the ordinary test files are run again on each server and by each runtime. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The compiled tests. */
const TESTS = fileURLToPath(new URL('../test', import.meta.url));

export const SUITE_NAMES = ['loading', 'resuming', 'verifying', 'faults', 'surroundings'] as const;
export type SuiteName = (typeof SUITE_NAMES)[number];

/** A folder stands for all of its files but those that another suite names. */
const PARTS: Readonly<Record<SuiteName, readonly string[]>> = {
  loading: ['load', 'cli/output'],
  resuming: ['load/starting', 'cli/interrupt', 'refresh'],
  verifying: ['verify', 'reads', 'picture/report'],
  faults: ['faults'],
  surroundings: ['doctor', 'embedded/server', 'security/access', 'servers'],
};

/**
 * What says nothing of a program that another runtime runs: tests that load within their own process, and those that reach into the
 * program by Node's own options.
 */
const OF_NODE_ALONE = /^(load|reads)\/|^faults\/threads/;

/**
 * The suite's files.
 * @param spawning only those that another runtime can run the program of
 */
export function filesOf(suite: SuiteName, spawning: boolean): string[] {
  const named = Object.values(PARTS).flat();
  return PARTS[suite]
    .flatMap((part) => {
      const folder = join(TESTS, part);
      if (!existsSync(folder)) return [`${part}.test.js`];
      return readdirSync(folder)
        .filter((name) => name.endsWith('.test.js'))
        .map((name) => `${part}/${name}`)
        .filter((file) => !named.includes(file.replace('.test.js', '')));
    })
    .filter((file) => !(spawning && OF_NODE_ALONE.test(file)))
    .map((file) => join(TESTS, file));
}
