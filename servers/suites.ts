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
  loading: ['load'],
  resuming: ['load/starting', 'cli/interrupt', 'refresh'],
  verifying: ['verify', 'reads', 'picture/report'],
  faults: ['faults'],
  surroundings: ['doctor', 'embedded/server', 'security/access', 'servers'],
};

/** Those that load within their own process, which says nothing of a program that another runtime runs. */
const IN_PROCESS = /^(load|reads)\//;

/**
 * The suite's files.
 * @param spawning only those that start the built program
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
    .filter((file) => !(spawning && IN_PROCESS.test(file)))
    .map((file) => join(TESTS, file));
}
