/**
 * Inserts over a held connection: the driver's features and its handling of failures stay in force.
 */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { BSON, MongoClient, type MongoClientOptions, MongoServerError } from 'mongodb';
import type { DriverConnectionType } from '../../src/connect/driver-internals.js';
import { ShardSource } from '../../src/dataset/source.js';
import { BatchBuffer } from '../../src/encode/document.js';
import type { Insert } from '../../src/encode/insert.js';
import { DEFAULT_FLEET, type LoadOptions, planLoad } from '../../src/index.js';
import { TelemetryModel } from '../../src/model/telemetry-model.js';
import { loadDocumentSequence, SEQUENCE_HEADROOM } from '../../src/write/driver/document-sequence.js';
import { HeldConnection, holdableConnections } from '../../src/write/driver/held-connection.js';
import { openSink } from '../../src/write/sink.js';
import { datasetOver, daysBefore, END, hashes, useServer } from '../support/loading.js';
import { TcpProxy } from '../support/proxy.js';

const file = useServer({
  args: ['--setParameter', 'enableTestCommands=1', '--networkMessageCompressors', 'zlib'],
});
const set = useServer({ replicaSet: true });
const COMMAND = { insert: 'metrics', ordered: false };

let connectionType: DriverConnectionType;

before(async () => {
  connectionType = await holdableConnections(await loadDocumentSequence());
});

/** As a worker's buffer: room for the message's head, then documents. */
function bytesOf(...ids: number[]): Buffer {
  return Buffer.concat([Buffer.alloc(SEQUENCE_HEADROOM), ...ids.map((_id) => BSON.serialize({ _id }))]);
}

interface Held {
  readonly client: MongoClient;
  readonly connection: HeldConnection;
  readonly count: () => Promise<number>;
  /** Names of the driver's events so far. */
  readonly events: string[];
}

/** A held connection of a client of its own, for as long as `use` takes. */
async function withHeld(
  options: MongoClientOptions,
  use: (pinned: Held) => Promise<void>,
  uri = file.server.uri,
): Promise<void> {
  const client = new MongoClient(uri, { ...options, connectionType } as MongoClientOptions);
  const events: string[] = [];
  for (const name of [
    'connectionCheckedOut',
    'connectionPoolCleared',
    'commandStarted',
    'commandFailed',
  ] as const) {
    client.on(name, () => events.push(name));
  }
  const db = client.db(file.freshDatabase());
  await client.connect();
  events.length = 0;
  const connection = new HeldConnection(db, COMMAND);
  const count = () => file.client.db(db.databaseName).collection('metrics').countDocuments();
  try {
    await use({ client, connection, count, events });
  } finally {
    await client.close();
  }
}

async function failNextInsert(data: object): Promise<void> {
  const failure = { failCommands: ['insert'], ...data };
  await file.client
    .db('admin')
    .command({ configureFailPoint: 'failCommand', mode: { times: 1 }, data: failure });
}

test('inserts one after the other share one connection, which is checked out once', async () => {
  await withHeld({}, async ({ connection, count, events }) => {
    for (const id of [1, 2, 3]) assert.equal((await connection.send(bytesOf(id, id + 10))).n, 2);
    assert.equal(await count(), 6);
    assert.deepEqual(events, ['connectionCheckedOut']);
  });
});

test('records that are there already come back in the reply, and the connection is held on', async () => {
  await withHeld({}, async ({ connection, count }) => {
    await connection.send(bytesOf(1, 2));
    const { n, writeErrors } = await connection.send(bytesOf(1, 2, 3));
    assert.deepEqual([n, writeErrors.length, writeErrors[0].code], [1, 2, 11000]);
    assert.equal((await connection.send(bytesOf(4))).n, 1);
    assert.equal(await count(), 4);
  });
});

test('a reply may come in pieces, and the one after it in another number of them', async () => {
  const proxy = await TcpProxy.start(file.server.port, { pieceBytes: 50 });
  const use = async ({ connection, count, events }: Held) => {
    for (const ids of [[1, 2], [1, 2, 3], [4], [5], [5]]) {
      const { n, writeErrors = [] } = await connection.send(bytesOf(...ids));
      assert.equal(n + writeErrors.length, ids.length);
    }
    assert.equal(await count(), 5);
    assert.deepEqual(events, ['connectionCheckedOut']);
  };
  try {
    await withHeld({}, use, proxy.uri);
  } finally {
    await proxy.stop();
  }
});

test('a refusal is the driver’s error, and the connection goes back to the driver', async () => {
  await withHeld({}, async ({ client, connection, count }) => {
    await connection.send(bytesOf(1));
    await failNextInsert({ errorCode: 14031 });
    await assert.rejects(
      connection.send(bytesOf(2)),
      (error) => error instanceof MongoServerError && error.code === 14031,
    );
    assert.equal(connection.open, false);
    assert.equal((await client.db('admin').command({ ping: 1 })).ok, 1);
    assert.equal(await count(), 1);
  });
});

test('the driver learns of a server that is shutting down: it clears its pool', async () => {
  await withHeld({}, async ({ connection, events }) => {
    await failNextInsert({ errorCode: 11600 });
    await assert.rejects(connection.send(bytesOf(1)), { name: 'MongoServerError', code: 11600 });
    assert.ok(events.includes('connectionPoolCleared'), events.join());
  });
});

test('a cut connection is a network error, and clears the pool', async () => {
  await withHeld({}, async ({ connection, events }) => {
    await connection.send(bytesOf(1));
    await failNextInsert({ closeConnection: true });
    await assert.rejects(connection.send(bytesOf(2)), { name: 'MongoNetworkError' });
    assert.equal(connection.open, false);
    assert.ok(events.includes('connectionPoolCleared'), events.join());
  });
});

test('a released connection goes back to the driver', async () => {
  await withHeld({ maxPoolSize: 1 }, async ({ client, connection }) => {
    await connection.send(bytesOf(1));
    connection.release();
    assert.equal(connection.open, false);
    assert.equal((await client.db('admin').command({ ping: 1 })).ok, 1);
  });
});

test('a connection that is released before the driver has it goes back as well', async () => {
  await withHeld({ maxPoolSize: 1, waitQueueTimeoutMS: 2_000 }, async ({ client, connection }) => {
    connection.release();
    assert.equal((await client.db('admin').command({ ping: 1 })).ok, 1);
  });
});

test('a write concern that was not reached is an error of that name', async () => {
  await withHeld({}, async ({ connection }) => {
    await failNextInsert({ writeConcernError: { code: 64, errmsg: 'waiting for replication timed out' } });
    await assert.rejects(connection.send(bytesOf(1)), { name: 'MongoWriteConcernError', code: 64 });
    assert.equal(connection.open, false);
  });
});

test('a server that keeps silent is given up after the socket’s time-out', async () => {
  await withHeld({ socketTimeoutMS: 300 }, async ({ connection }) => {
    await connection.send(bytesOf(1));
    await new Promise((resolve) => setTimeout(resolve, 400));
    assert.equal((await connection.send(bytesOf(2))).n, 1, 'a pause between inserts is no silence');
    await failNextInsert({ blockConnection: true, blockTimeMS: 2_000 });
    await assert.rejects(connection.send(bytesOf(3)), { name: 'MongoNetworkTimeoutError' });
  });
});

test('a client that is closed ends an insert that is under way, and one that waits', async () => {
  await withHeld({}, async ({ client, connection }) => {
    await connection.send(bytesOf(1));
    await failNextInsert({ blockConnection: true, blockTimeMS: 1_000 });
    const underWay = assert.rejects(connection.send(bytesOf(2)), { name: 'MongoClientClosedError' });
    await new Promise((resolve) => setTimeout(resolve, 100));
    await client.close();
    await underWay;
    assert.equal(connection.open, false);
  });
});

test('a client that watches commands sees each insert', async () => {
  await withHeld({ monitorCommands: true }, async ({ connection, count, events }) => {
    for (const id of [1, 2, 3]) await connection.send(bytesOf(id));
    assert.equal(await count(), 3);
    assert.equal(events.filter((name) => name === 'commandStarted').length, 3);
    await failNextInsert({ errorCode: 14031 });
    await assert.rejects(connection.send(bytesOf(4)), { name: 'MongoServerError', code: 14031 });
    assert.ok(events.includes('commandFailed'));
    assert.equal(connection.open, false);
  });
});

test('a compressed connection compresses inserts', async () => {
  const decompressed = async () => {
    const { network } = await file.client.db('admin').command({ serverStatus: 1 });
    return Number(network.compression.zlib.decompressor.bytesOut);
  };
  const earlier = await decompressed();
  await withHeld({ compressors: ['zlib'] }, async ({ connection, count }) => {
    const ids = Array.from({ length: 1000 }, (_, i) => i);
    assert.equal((await connection.send(bytesOf(...ids))).n, 1000);
    assert.equal((await connection.send(bytesOf(...ids))).writeErrors.length, 1000);
    assert.equal(await count(), 1000);
  });
  assert.ok((await decompressed()) - earlier > 2 * 1000 * 14);
});

test('a load over compressed connections writes the same records', async () => {
  const hour = { start: daysBefore(1 / 24), end: END };
  const hashOf = async (choices: LoadOptions) => {
    const database = file.freshDatabase();
    const { status, loader } = await file.load(database, { ...hour, ...choices });
    assert.deepEqual([status, loader.writer.kind], ['complete', 'sequence']);
    return hashes(file.client.db(database), 'metrics', 'assets');
  };
  assert.deepEqual(await hashOf({ compressors: ['zlib'] }), await hashOf({}));
});

/** The first insert of a dataset, as a worker makes it. */
function someInsert(): Insert {
  const window = { start: 0, end: 60 };
  const dataset = datasetOver(window, { sections: ['metrics'] });
  const { shards } = planLoad(DEFAULT_FLEET, window, ['metrics'], 1);
  const source = new ShardSource(new TelemetryModel(DEFAULT_FLEET, dataset.seed), dataset, shards[0], 60);
  const insert = source.nextInsert(new BatchBuffer(SEQUENCE_HEADROOM), () => false);
  assert.ok(insert);
  return insert;
}

test('where connections cannot be held each insert is a command of its own, and the load says why', async () => {
  const db = file.client.db(file.freshDatabase());
  const make = await loadDocumentSequence();
  const { sink, writer } = openSink(db, 'sequence', 1, { make, connectionType: 'no reason' });
  assert.deepEqual(writer, { kind: 'sequence', reason: 'a command for each insert: no reason' });
  const insert = someInsert();
  const first = await sink.write(insert);
  assert.deepEqual([first.inserted, first.alreadyThere], [60, 0]);
  const again = await sink.write(insert);
  assert.deepEqual([again.inserted, again.alreadyThere], [0, 60]);
});

test('connections are made ready before the first insert, and not beside those that inserts have taken', async () => {
  const make = await loadDocumentSequence();
  for (const late of [false, true]) {
    const client = new MongoClient(file.server.uri, { maxPoolSize: 3, connectionType } as MongoClientOptions);
    await client.connect();
    let asked = 0;
    client.on('connectionCheckOutStarted', () => asked++);
    const { sink } = openSink(client.db(file.freshDatabase()), 'sequence', 1, { make, connectionType });
    try {
      const first = late ? sink.write(someInsert()) : undefined;
      sink.open?.(3);
      await first;
      await sink.write(someInsert());
      assert.equal(asked, late ? 1 : 3);
    } finally {
      await client.close();
    }
  }
});

test('once the primary has stepped down no insert goes over a connection that was held before', async () => {
  const client = new MongoClient(set.server.uri, {
    heartbeatFrequencyMS: 500,
    connectionType,
  } as MongoClientOptions);
  const db = client.db('step_down');
  await client.connect();
  let returned = 0;
  client.on('connectionCheckedIn', () => returned++);
  const make = await loadDocumentSequence();
  const { sink } = openSink(db, 'sequence', 'majority', { make, connectionType });
  try {
    const insert = someInsert();
    const first = await sink.write(insert);
    assert.deepEqual([first.inserted, first.alreadyThere], [60, 0]);
    assert.equal(returned, 0);
    const steppedDown = new Promise<void>((resolve) => {
      client.on('serverDescriptionChanged', ({ newDescription }) => {
        if (newDescription.type === 'RSSecondary') resolve();
      });
    });
    await set.client.db('admin').command({ replSetStepDown: 2, secondaryCatchUpPeriodSecs: 0, force: true });
    await steppedDown;
    await new Promise(setImmediate);
    assert.equal(returned, 1, 'the connection is still held');
    const again = await sink.write(insert);
    assert.deepEqual([again.inserted, again.alreadyThere], [0, 60]);
  } finally {
    await client.close();
  }
});
