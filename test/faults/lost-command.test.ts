/**
 * A connection that closes at the very moment a command is sent over it: the driver itself forgets
 * the command, and whoever waits for it waits for ever.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { MongoClient } from 'mongodb';
import { makeClient, makeSteadyClient } from '../../src/connect/connect.js';
import { startTestServer, type TestServer } from '../support/server.js';

let server: TestServer;
before(async () => {
  server = await startTestServer();
});
after(() => server?.stop());

/** How a command ends whose socket was destroyed before it is written, and closes after. */
async function fateOf(client: MongoClient): Promise<'ended' | 'lost'> {
  const db = client.db('lost');
  await db.command({ ping: 1 });
  client.on('connectionCheckedOut', () => {
    // The pool's only connection: the driver keeps it where nobody else looks.
    for (const handle of socketsTo(server.port)) handle.destroy();
  });
  const command = db.command({ ping: 1 }).then(
    () => 'ended' as const,
    () => 'ended' as const,
  );
  return Promise.race([command, sleep(3_000).then(() => 'lost' as const)]);
}

interface Destroyable {
  readonly remotePort?: number;
  destroy(): void;
}

function socketsTo(port: number): Destroyable[] {
  const { _getActiveHandles: handles } = process as unknown as { _getActiveHandles: () => Destroyable[] };
  return handles.call(process).filter(({ remotePort }) => remotePort === port);
}

const settings = () =>
  ({
    origin: 'named',
    uri: `${server.uri}`,
    database: 'lost',
    options: { maxPoolSize: 1, retryReads: false, serverSelectionTimeoutMS: 1_000 },
  }) as const;

test('a command over a connection that closes ends', async () => {
  const client = await makeSteadyClient(settings());
  try {
    assert.equal(await fateOf(client), 'ended');
  } finally {
    await Promise.race([client.close(true), sleep(2_000)]);
  }
});

test('the driver itself forgets it: when this fails, its connections need no help any more', async () => {
  const client = makeClient(settings());
  try {
    assert.equal(await fateOf(client), 'lost');
  } finally {
    await Promise.race([client.close(true), sleep(2_000)]);
  }
});
