/**
 * `npm run test:servers`: the suites of loading, resuming, verifying and faults on every server
 * version that can be had, and by every runtime, as one table. It takes an hour or so on two cores
 * and is no part of `npm test`.
 */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isAtLeast } from '../src/store/server.js';
import { readArguments } from './arguments.js';
import { SERVER_VERSIONS, type ServerVersion, serverBinary, USUAL_VERSION } from './binaries.js';
import { ferretdbBinary } from './ferretdb.js';
import { runSuite, type SuiteResult } from './run-suite.js';
import { type Runtime, runtime, THIS_NODE } from './runtimes.js';
import { SUITE_NAMES, type SuiteName } from './suites.js';
import { type Row, tableOf } from './table.js';

const say = (line: string) => console.error(line);
const rows: Row[] = [];
const missing: string[] = [];

/** Something from elsewhere; without it the rest goes on, and it is named in the end. */
async function obtained<T>(what: string, obtain: () => Promise<T>): Promise<T | undefined> {
  try {
    return await obtain();
  } catch (error) {
    missing.push(`${what}: ${error instanceof Error ? error.message.split('\n')[0] : String(error)}`);
    return undefined;
  }
}

async function runRow(
  version: ServerVersion,
  server: string,
  by: Runtime,
  suites: readonly SuiteName[],
): Promise<void> {
  const results: Partial<Record<SuiteName, SuiteResult>> = {};
  for (const suite of suites) {
    const title = `MongoDB ${version}, ${by.title}, ${suite}`;
    const result = await runSuite({ suite, runtime: by, server, ferretdb, logs, title });
    results[suite] = result;
    const { passed, failed, failures, seconds, log } = result;
    say(
      `${failed === 0 ? '✅' : '❌'} ${title}: ${passed} passed, ${failed} failed, ${Math.round(seconds)} s`,
    );
    for (const name of failures) say(`   ├── ${name}`);
    if (failed > 0) say(`   └── ${log}`);
  }
  rows.push({
    server: version,
    runtime: by.title,
    flat: isAtLeast(version, 5, 3) ? 'clustered' : 'ordinary',
    timeSeries: isAtLeast(version, 5, 0) ? 'yes' : 'refused',
    results,
  });
}

const { servers, runtimes, suites } = readArguments(process.argv.slice(2));
const logs = mkdtempSync(join(tmpdir(), 'seed-database-servers-'));
const ferretdb = suites.includes('surroundings') ? await obtained('FerretDB', ferretdbBinary) : undefined;
for (const version of SERVER_VERSIONS.filter((one) => servers.includes(one))) {
  const server = await obtained(`MongoDB ${version}`, () => serverBinary(version));
  if (server) await runRow(version, server, THIS_NODE, suites);
}
const usual = await obtained(`MongoDB ${USUAL_VERSION}`, () => serverBinary(USUAL_VERSION));
for (const name of runtimes) {
  const by = await obtained(name, () => runtime(name));
  // This process's own has had its row.
  if (!by || !usual || (by === THIS_NODE && servers.includes(USUAL_VERSION))) continue;
  await runRow(
    USUAL_VERSION,
    usual,
    by,
    suites.filter((suite) => suite !== 'surroundings'),
  );
}
console.log(tableOf(rows));
for (const line of missing) say(`not to be had here: ${line}`);
const failed = rows.some(({ results }) => SUITE_NAMES.some((suite) => (results[suite]?.failed ?? 0) > 0));
if (failed || missing.length > 0) process.exitCode = 1;
