/**
 * What the server of the tests can. `npm run test:servers` runs the same files on older and newer
 * servers, so a test that needs a feature says here what is true where the server has none. Nothing
 * is skipped.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MongoClient } from 'mongodb';
import { LAYOUTS, type Layout } from '../../src/config/settings.js';
import { obtainBinary } from '../../src/embedded/binary.js';
import { isAtLeast } from '../../src/store/server.js';
import { runCli } from './cli.js';
import { startTestServer } from './server.js';

/** Version of the server that `startTestServer` starts, as `6.0.5`. */
export const { version: SERVER_VERSION } = await obtainBinary((message) =>
  process.stderr.write(`${message}\n`),
);

export const HAS_TIME_SERIES = isAtLeast(SERVER_VERSION, 5, 0);
export const HAS_CLUSTERED = isAtLeast(SERVER_VERSION, 5, 3);
/** It compresses buckets, and takes them from others. */
export const HAS_BUCKETS = isAtLeast(SERVER_VERSION, 5, 2);
/** Time-series collections take deletes of whole series. */
export const DELETES_SERIES = isAtLeast(SERVER_VERSION, 5, 1);
/** Time-series collections take deletes by time. */
export const TRIMS_TIME_SERIES = isAtLeast(SERVER_VERSION, 7, 0);

/** The layouts that this server can hold. */
export const LAYOUTS_HERE: readonly Layout[] = LAYOUTS.filter(
  (layout) => layout === 'flat' || HAS_TIME_SERIES,
);

/** The writers of the time-series layout that can be had here. */
export const SERIES_WRITERS: readonly ('sequence' | 'buckets')[] = HAS_BUCKETS
  ? ['sequence', 'buckets']
  : ['sequence'];

/** Each layout with the ways in which it is written, as far as the server has them. */
export const WAYS_HERE = (
  [
    ['flat', 'sequence'],
    ['flat', 'bulkwrite'],
    ['timeseries', 'sequence'],
    ['timeseries', 'auto'],
  ] as const
).filter(([layout]) => LAYOUTS_HERE.includes(layout));

/** The layout in which a record written twice is there twice, where the server has it. */
export const UNKEYED_LAYOUT: Layout = HAS_TIME_SERIES ? 'timeseries' : 'flat';

/**
 * A test of the time-series layout. Where the server has none, a test that it is refused by name
 * and nothing is written.
 */
export function timeSeriesTest(name: string, body: () => Promise<void>): void {
  if (HAS_TIME_SERIES) test(name, body);
  else test(`${name} — refused: MongoDB ${SERVER_VERSION} has no time-series`, refusesTimeSeries);
}

/**
 * A test of compressed buckets. Where the server has none, a test that they are refused by name and
 * nothing is written.
 */
export function bucketsTest(name: string, body: () => Promise<void>): void {
  if (HAS_BUCKETS) test(name, body);
  else test(`${name} — refused: MongoDB ${SERVER_VERSION} has no such buckets`, refusesBuckets);
}

async function refusesBuckets(): Promise<void> {
  const server = await startTestServer();
  const client = new MongoClient(server.uri);
  try {
    const target = ['--uri', server.uri, '--database', 'refused', '--log-file', '/dev/null'];
    const flags = ['--days', '1', '--layout', 'timeseries', '--writer', 'buckets'];
    const { status, stderr } = await runCli(['load', ...target, ...flags]);
    assert.equal(status, HAS_TIME_SERIES ? 2 : 5, stderr);
    assert.match(
      stderr,
      HAS_TIME_SERIES ? /--writer buckets cannot be had/ : /has no time-series collections/,
    );
    assert.deepEqual(await client.db('refused').listCollections().toArray(), []);
  } finally {
    await client.close();
    await server.stop();
  }
}

/** Fails unless a time-series load is refused before anything is written. */
export async function refusesTimeSeries(): Promise<void> {
  const server = await startTestServer();
  const client = new MongoClient(server.uri);
  try {
    const target = ['--uri', server.uri, '--database', 'refused', '--log-file', '/dev/null'];
    const { status, stderr } = await runCli(['load', ...target, '--days', '1', '--layout', 'timeseries']);
    assert.equal(status, 5, stderr);
    assert.match(stderr, /has no time-series collections/);
    assert.match(stderr, /--layout flat/);
    assert.deepEqual(await client.db('refused').listCollections().toArray(), []);
  } finally {
    await client.close();
    await server.stop();
  }
}
