/**
 * `follow` goes on: past a server that is away at the turn of the minute, and past other loaders;
 * with one line a refresh.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Collection, type Document, MongoClient } from 'mongodb';
import { assertEqualToPlan, loadWell, type Place, placeFlags } from '../support/dataset.js';
import { RunningLoad } from '../support/running.js';
import { startTestServer, type TestServer, until } from '../support/server.js';

const MS_PER_MINUTE = 60_000;
const LINE = /^\d\d:\d\d:\d\d UTC: [\d,]+ records added, up to \d{4}-\d\d-\d\d \d\d:\d\d UTC$/;

interface Following {
  readonly server: TestServer;
  readonly place: Place;
  readonly runs: Collection;
  readonly follow: RunningLoad;
  /** Resolves when the newest run reaches the current minute once more. */
  readonly caughtUp: () => Promise<void>;
}

async function following(flags: readonly string[], act: (input: Following) => Promise<void>): Promise<void> {
  const server = await startTestServer();
  const client = new MongoClient(server.uri);
  const place = { uri: server.uri, database: 'followed' };
  const runs = client.db(place.database).collection('seed_runs');
  try {
    const end = new Date(Math.floor(Date.now() / MS_PER_MINUTE) * MS_PER_MINUTE - 10 * MS_PER_MINUTE);
    await loadWell(place, '--end', end.toISOString(), '--metrics-only');
    const args = ['follow', ...placeFlags(place), '--log-file', '/dev/null', ...flags];
    const follow = new RunningLoad(args, { timeoutMs: 280_000 });
    const caughtUp = async () => {
      const minute = Math.floor(Date.now() / MS_PER_MINUTE) * MS_PER_MINUTE;
      for (let waited = 0; ; waited++) {
        const [run] = await runs
          .find()
          .sort({ startedAt: -1 })
          .toArray()
          .catch(() => []);
        if (run?.state === 'complete' && +run.window.end >= minute && (await runs.countDocuments()) === 1)
          return;
        assert.ok(!follow.hasEnded && waited < 1_200, `${follow.stdout}\n${follow.stderr}`);
        await sleep(100);
      }
    };
    await caughtUp();
    await act({ server, place, runs, follow, caughtUp });
    follow.kill('SIGINT');
    const { status, stderr } = await follow.ended;
    assert.equal(status, 0, stderr);
    await assertEqualToPlan(place);
  } finally {
    await client.close();
    await server.stop();
  }
}

/** Waits until so many seconds before the next minute; one minute later where that has passed. */
async function untilBeforeTurn(seconds: number): Promise<void> {
  const toTurn = MS_PER_MINUTE - (Date.now() % MS_PER_MINUTE);
  const wait = toTurn - seconds * 1000;
  await sleep(wait < 0 ? wait + MS_PER_MINUTE : wait);
}

const linesOf = ({ stdout }: RunningLoad) => stdout.split('\n').filter((line) => line !== '');

describe('follow', { concurrency: true }, () => {
  test('a server that is away for fifteen seconds over the turn of a minute', async () => {
    await following([], async ({ server, follow, caughtUp }) => {
      await until('a line', async () => linesOf(follow).length > 0);
      await untilBeforeTurn(7);
      await server.kill('SIGKILL');
      await sleep(15_000);
      await server.restart();
      await caughtUp();
      await until('another line', async () => linesOf(follow).length > 1);
      for (const line of linesOf(follow)) assert.match(line, LINE);
    });
  });

  test('another loader at the turn of a minute: left to it until the next', async () => {
    await following(['--json'], async ({ runs, follow, caughtUp }) => {
      await until('an object', async () => linesOf(follow).length > 0);
      await untilBeforeTurn(5);
      const before = linesOf(follow).length;
      const other: Document = { active: true, host: 'elsewhere', processSpace: 'elsewhere', holder: 'other' };
      const hold = () => runs.updateOne({}, { $set: { ...other, heartbeat: new Date() } });
      await hold();
      const beats = setInterval(() => void hold(), 1_000);
      await follow.untilPrinted(/is in progress on elsewhere .*trying again at the next minute/);
      clearInterval(beats);
      await runs.updateOne({}, { $unset: { active: '' } });
      assert.equal(linesOf(follow).length, before);
      await sleep(MS_PER_MINUTE - (Date.now() % MS_PER_MINUTE));
      await caughtUp();
      await until('another object', async () => linesOf(follow).length > before);
      for (const line of linesOf(follow)) assert.equal(typeof JSON.parse(line).status, 'string');
    });
  });

  test('--quiet: nothing while all is well', async () => {
    await following(['--quiet'], async ({ follow }) => {
      assert.deepEqual([follow.stdout, follow.stderr], ['', '']);
    });
  });
});
