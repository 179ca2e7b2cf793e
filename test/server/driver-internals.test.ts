/**
 * What is used of the driver's inside is there, by name: an upgrade that changes it fails here
 * first.
 */
import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { MongoClient, type MongoClientOptions } from 'mongodb';
import {
  CONNECTION_FIELDS,
  CONNECTION_METHODS,
  closeForgotten,
  type DriverConnection,
  loadDriverCommands,
  loadDriverConnection,
  missingMember,
  SOCKET_METHODS,
  STREAM_METHODS,
  steadyConnections,
} from '../../src/connect/driver-internals.js';
import { useServer } from '../support/loading.js';

const file = useServer();

test('the versions of the libraries whose inside is used are exact', () => {
  const { dependencies } = JSON.parse(
    readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'),
  );
  for (const name of ['mongodb', 'mongodb-memory-server-core']) {
    assert.match(dependencies[name], /^\d+\.\d+\.\d+$/, name);
  }
});

test('the driver has its sequence of documents, its message and its connection', async () => {
  const commands = await loadDriverCommands();
  const sequence = new commands.DocumentSequence('documents');
  assert.equal(typeof sequence.push, 'function');
  assert.equal(typeof sequence.toBin, 'function');
  const { prototype } = await loadDriverConnection();
  for (const name of CONNECTION_METHODS) assert.ok(Object.hasOwn(prototype, name), name);
});

test('a client takes a connection type, and its connections have every member that is used', async () => {
  const Base = await loadDriverConnection();
  const made: DriverConnection[] = [];
  const connectionType = class extends Base {
    constructor(stream: unknown, options: unknown) {
      super(stream, options);
      made.push(this);
    }
  };
  const client = new MongoClient(file.server.uri, { connectionType } as MongoClientOptions);
  try {
    await client.db('admin').command({ ping: 1 });
    assert.ok(made.length > 0);
    assert.equal(missingMember(made[0]), undefined);
  } finally {
    await client.close();
  }
});

test('what a closed client has forgotten is closed by its name, and nothing else is', async () => {
  const connectionType = await steadyConnections();
  const clientOf = (appName: string) =>
    new MongoClient(file.server.uri, { appName, connectionType } as MongoClientOptions);
  const [client, other] = [clientOf('seed-database one'), clientOf('seed-database other')];
  const ping = (one: MongoClient) => one.db('admin').command({ ping: 1 });
  try {
    await Promise.all([ping(client), ping(other)]);
    // As a monitor does that is reset while it connects.
    const { topology } = client as unknown as { readonly topology: { readonly s: { servers: Servers } } };
    const [{ monitor }] = topology.s.servers.values();
    const forgotten = monitor.connection;
    monitor.connection = null;
    await client.close();
    assert.equal(forgotten?.closed, false);
    closeForgotten('seed-database other one');
    assert.equal(forgotten.closed, false);
    closeForgotten('seed-database one');
    assert.equal(forgotten.closed, true);
    await ping(other);
  } finally {
    await client.close();
    await other.close();
  }
});

/** Of the driver, by address. */
type Servers = ReadonlyMap<string, { readonly monitor: { connection: { readonly closed: boolean } | null } }>;

test('a member that is missing is named', () => {
  const connection = {
    ...Object.fromEntries(CONNECTION_FIELDS.map((name) => [name, null])),
    socket: Object.fromEntries(SOCKET_METHODS.map((name) => [name, () => undefined])),
    messageStream: Object.fromEntries(STREAM_METHODS.map((name) => [name, () => undefined])),
  };
  const of = (changes: object) =>
    missingMember(Object.assign(new EventEmitter(), connection, changes) as unknown as DriverConnection);
  assert.equal(of({}), undefined);
  assert.equal(of({ socket: { write: () => true } }), 'setTimeout');
  assert.equal(of({ messageStream: { on: () => undefined } }), 'off');
  const { socketTimeoutMS: _, ...less } = connection as Record<string, unknown>;
  const without = Object.assign(new EventEmitter(), less);
  assert.equal(missingMember(without as unknown as DriverConnection), 'socketTimeoutMS');
});
