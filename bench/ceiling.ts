/**
 * The ceiling: the loader's own bytes, generated and encoded beforehand, sent from memory by a
 * sender that does nothing else. No loader can be faster with these documents, this server and this
 * order.
 *
 * Prints one JSON line {records, seconds, cpuSeconds}; only the sending counts.
 */
import { connect, type Socket } from 'node:net';
import { BSON, MongoClient } from 'mongodb';
import { ShardSource } from '../src/dataset/source.js';
import { BUCKETS_INSERT_RECORDS, BucketEncoder, encodeBuckets } from '../src/encode/bucket.js';
import { BatchBuffer } from '../src/encode/document.js';
import { DEFAULT_FLEET } from '../src/fleet/default.js';
import { TelemetryModel } from '../src/model/telemetry-model.js';
import { ShardQueue } from '../src/plan/order.js';
import { METRIC_BUCKETS, METRICS } from '../src/store/collections.js';
import { ensureCollections } from '../src/store/schema.js';
import { benchDataset, benchPlan, layoutNamed } from './dataset.js';

/**
 * One socket for each series of a machine: a series has one batch under way, and a socket one
 * request.
 */
const SOCKETS_PER_WORKER = 6;
const OP_MSG = 2013;
/** Header, flags and the kind of the first section. */
const DOCUMENT_START = 21;

const [uri, database, layoutName, days, batchSize, workerCount] = process.argv.slice(2);
const layout = layoutNamed(layoutName);
const dataset = benchDataset(layout, Number(days));
const asBuckets = batchSize === 'buckets';
const insertRecords = asBuckets ? BUCKETS_INSERT_RECORDS : Number(batchSize);
const collection = asBuckets ? METRIC_BUCKETS : METRICS;
const encoder = new BucketEncoder();

/** One insert. */
interface Message {
  readonly bytes: Buffer;
  readonly documents: number;
  readonly records: number;
}

/** Messages of one shard, by series, in time order. */
function messagesOfShard(source: ShardSource): Map<string, Message[]> {
  const bySeries = new Map<string, Message[]>();
  const buffer = new BatchBuffer(0);
  for (let batch = source.nextBatch(buffer); batch; batch = source.nextBatch(buffer)) {
    const messages = bySeries.get(batch.series.metricName) ?? [];
    const { bytes, buckets } = asBuckets
      ? encodeBuckets({ batches: [batch], buffer }, encoder)
      : { bytes: batch.encode(), buckets: undefined };
    messages.push({
      records: batch.records,
      documents: buckets?.length ?? batch.records,
      bytes: insertMessage(bytes),
    });
    bySeries.set(batch.series.metricName, messages);
  }
  return bySeries;
}

function insertMessage(documents: Buffer): Buffer {
  const command = BSON.serialize({ insert: collection, ordered: false, $db: database });
  const field = Buffer.from('documents\0');
  const section = Buffer.alloc(5);
  section[0] = 1;
  section.writeInt32LE(4 + field.length + documents.length, 1);
  const header = Buffer.alloc(DOCUMENT_START);
  const message = Buffer.concat([header, command, section, field, documents]);
  message.writeInt32LE(message.length, 0);
  message.writeInt32LE(OP_MSG, 12);
  return message;
}

/** One request at a time on one socket. */
class Sender {
  #received = Buffer.alloc(0);
  #answer: ((reply: Buffer) => void) | undefined;

  constructor(readonly socket: Socket) {
    socket.setNoDelay(true);
    socket.on('data', (data) => {
      this.#received = Buffer.concat([this.#received, data as Buffer]);
      if (this.#received.length < 4 || this.#received.length < this.#received.readInt32LE(0)) return;
      const reply = this.#received;
      this.#received = Buffer.alloc(0);
      this.#answer?.(reply);
    });
  }

  async send(message: Buffer): Promise<number> {
    const reply = await new Promise<Buffer>((resolve) => {
      this.#answer = resolve;
      this.socket.write(message);
    });
    const { n, ok, writeErrors } = BSON.deserialize(reply.subarray(DOCUMENT_START));
    if (ok !== 1 || writeErrors)
      throw new Error(`insert failed: ${JSON.stringify(writeErrors ?? ok).slice(0, 200)}`);
    return n;
  }
}

const client = new MongoClient(uri);
await client.connect();
const db = client.db(database);
await ensureCollections(db, { layout, clustered: true, ttlDays: undefined }, () => undefined);

const model = new TelemetryModel(DEFAULT_FLEET, dataset.seed);
const queue = new ShardQueue(benchPlan(dataset).shards);
const prepared: Map<string, Message[]>[] = [];
for (let shard = queue.next(); shard; shard = queue.next()) {
  prepared.push(messagesOfShard(new ShardSource(model, dataset, shard, insertRecords)));
  queue.release(shard);
}

const { hostname, port } = new URL(uri);
// As the loader: workers side by side, each with a shard of its own and its series in flight
// together.
const workers = Number(workerCount);
let records = 0;
const sendShards = async (): Promise<void> => {
  const senders = await Promise.all(
    Array.from(
      { length: SOCKETS_PER_WORKER },
      () =>
        new Promise<Sender>((resolve) => {
          const socket: Socket = connect(Number(port), hostname, () => resolve(new Sender(socket)));
        }),
    ),
  );
  ready();
  await start;
  for (let shard = prepared.shift(); shard; shard = prepared.shift()) {
    await Promise.all(
      [...shard.values()].map(async (messages, i) => {
        for (const message of messages) {
          const inserted = await senders[i].send(message.bytes);
          if (inserted !== message.documents)
            throw new Error(`${inserted} documents of ${message.documents}`);
          records += message.records;
        }
      }),
    );
  }
  for (const { socket } of senders) socket.destroy();
};
let waiting = workers;
let begin: () => void = () => undefined;
const start = new Promise<void>((resolve) => {
  begin = resolve;
});
let started = 0;
let cpu = process.cpuUsage();
function ready(): void {
  waiting--;
  if (waiting > 0) return;
  started = performance.now();
  cpu = process.cpuUsage();
  begin();
}
await Promise.all(Array.from({ length: workers }, sendShards));
const seconds = (performance.now() - started) / 1000;
const used = process.cpuUsage(cpu);
await client.close();
console.log(JSON.stringify({ records, seconds, cpuSeconds: (used.user + used.system) / 1e6 }));
