/**
 * An insert that was decided in time and comes to be sent too late is not sent: by none of the ways
 * in which inserts are.
 */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { BSON, MongoClient, type MongoClientOptions } from 'mongodb';
import { isPassing } from '../../src/connect/retry.js';
import { NotHeld } from '../../src/threads/counters.js';
import { loadDocumentSequence, SEQUENCE_HEADROOM } from '../../src/write/driver/document-sequence.js';
import { gateWrites, HeldConnection, holdableConnections } from '../../src/write/driver/held-connection.js';
import { useServer } from '../support/loading.js';

const file = useServer();
after(() => gateWrites(() => true));

const bytesOf = (_id: number) => Buffer.concat([Buffer.alloc(SEQUENCE_HEADROOM), BSON.serialize({ _id })]);

test('while the lease is in doubt nothing is inserted; afterwards the same connections serve', async () => {
  const connectionType = await holdableConnections(await loadDocumentSequence());
  const client = new MongoClient(file.server.uri, { connectionType } as MongoClientOptions);
  after(() => client.close());
  const db = client.db(file.freshDatabase());
  const metrics = db.collection<{ _id: number }>('metrics');
  const command = { insert: 'metrics', ordered: false };
  const ways = {
    held: (id: number) => new HeldConnection(db, command).send(bytesOf(id)),
    bulkWrite: (id: number) => metrics.bulkWrite([{ insertOne: { document: { _id: id } } }]),
    command: (id: number) => db.command({ ...command, documents: [{ _id: id }] }),
  };
  const opened = new HeldConnection(db, command);
  await opened.send(bytesOf(0));
  gateWrites(() => false);
  const late = [opened.send(bytesOf(1)), ...Object.values(ways).map((send) => send(1))];
  for (const outcome of await Promise.allSettled(late)) {
    assert.equal(outcome.status, 'rejected');
    assert.ok(isPassing(outcome.reason), String(outcome.reason));
  }
  await assert.rejects(ways.held(1), NotHeld);
  assert.equal(await metrics.countDocuments(), 1);
  gateWrites(() => true);
  let id = 10;
  for (const send of Object.values(ways)) await send(id++);
  assert.equal(await metrics.countDocuments(), 4);
});
