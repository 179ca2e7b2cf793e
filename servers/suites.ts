/** Which of the ordinary test files are run again on each server and by each runtime. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The compiled tests. */
const TESTS = fileURLToPath(new URL('../test', import.meta.url));

export const SUITE_NAMES = ['loading', 'resuming', 'verifying', 'faults', 'surroundings'] as const;
export type SuiteName = (typeof SUITE_NAMES)[number];

/** Folders of tests, each with the files that are meant; without files, all of them. */
const FILES: Readonly<Record<SuiteName, Readonly<Record<string, readonly string[]>>>> = {
  loading: {
    server: [
      'beside',
      'command-output',
      'dataset',
      'driver-internals',
      'duplicates',
      'expiry',
      'failing-writes',
      'fleets',
      'foreign',
      'held-connection',
      'journal',
      'load-pool',
      'reproducible',
      'schema',
      'sections',
      'stray-buckets',
      'write-gate',
    ],
    long: ['bucket-writer', 'counting', 'disturbances', 'events-collection', 'intervals', 'vanished'],
  },
  resuming: { server: ['interrupt', 'refresh'], long: ['starting'] },
  verifying: { server: ['verify-command', 'verify-defects', 'reads', 'report'], long: ['verify-buckets'] },
  faults: { faults: [], targets: ['targets'] },
  surroundings: { server: ['doctor', 'embedded-server'], security: ['access'], servers: [] },
};

/**
 * Suites and files that load within their own process, or reach into the program by Node's own
 * options.
 */
const OF_NODE_ALONE = [
  ...['reads', 'starting', 'threads', 'verify-buckets'],
  ...FILES.loading.server,
  ...FILES.loading.long,
].filter((name) => name !== 'command-output');

/**
 * The suite's files.
 * @param spawning only those that another runtime can run the program of
 */
export function filesOf(suite: SuiteName, spawning: boolean): string[] {
  return Object.entries(FILES[suite])
    .flatMap(([folder, names]) =>
      (names.length > 0 ? names : namesIn(folder)).map((name) => ({ folder, name })),
    )
    .filter(({ name }) => !(spawning && OF_NODE_ALONE.includes(name)))
    .map(({ folder, name }) => join(TESTS, folder, `${name}.test.js`));
}

function namesIn(folder: string): string[] {
  return readdirSync(join(TESTS, folder))
    .filter((file) => file.endsWith('.test.js'))
    .map((file) => file.replace('.test.js', ''));
}
