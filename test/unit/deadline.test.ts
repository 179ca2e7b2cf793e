/**
 * An operation of the driver that never ends is given up, soon after there was trouble with its
 * connections.
 */
import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { type ConnectionPoolClearedEvent, MongoClient, MongoNetworkError } from 'mongodb';
import { Deadline, isPassing, ReplyTimeout } from '../../src/connect/retry.js';

const never = () => new Promise<never>(() => undefined);

function impatient(socketTimeoutMS: number): { readonly client: MongoClient; readonly deadline: Deadline } {
  const options = { socketTimeoutMS, serverSelectionTimeoutMS: 1000 };
  const client = new MongoClient('mongodb://127.0.0.1:1/', options);
  return { client, deadline: new Deadline(client) };
}

/** How a promise stands after the time that has been faked. */
async function outcome(promise: Promise<unknown>): Promise<unknown> {
  const pending = Symbol('pending');
  const settled = promise.catch((error: unknown) => error);
  await new Promise((resolve) => process.nextTick(resolve));
  return Promise.race([settled, Promise.resolve(pending).then(() => pending)]).then((value) =>
    value === pending ? 'pending' : value,
  );
}

test('after the time-outs of socket and server selection, and a margin', async () => {
  mock.timers.enable({ apis: ['setTimeout'] });
  try {
    const { deadline } = impatient(60_000);
    const limited = deadline.limit(never());
    mock.timers.tick(62_000);
    assert.equal(await outcome(limited), 'pending');
    mock.timers.tick(1_000);
    const error = await outcome(limited);
    assert.ok(error instanceof ReplyTimeout && error instanceof MongoNetworkError);
    assert.ok(isPassing(error));
  } finally {
    mock.timers.reset();
  }
});

test('soon after the pool was cleared, even without a socket time-out', async () => {
  mock.timers.enable({ apis: ['setTimeout'] });
  try {
    for (const socketTimeout of [0, 60_000]) {
      const { client, deadline } = impatient(socketTimeout);
      const limited = deadline.limit(never());
      mock.timers.tick(3_000);
      client.emit('connectionPoolCleared', {} as ConnectionPoolClearedEvent);
      mock.timers.tick(9_000);
      assert.equal(await outcome(limited), 'pending');
      mock.timers.tick(1_000);
      assert.ok((await outcome(limited)) instanceof ReplyTimeout);
    }
  } finally {
    mock.timers.reset();
  }
});

test('an answer in time is the answer', async () => {
  const { deadline } = impatient(60_000);
  assert.equal(await deadline.limit(Promise.resolve(5)), 5);
  await assert.rejects(deadline.limit(Promise.reject(new Error('as it is'))), /as it is/);
});
