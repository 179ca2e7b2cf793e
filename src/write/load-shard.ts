/** Drives one shard from its source to its sink. */
import type { ShardSource } from '../dataset/source.js';
import { BatchBuffer } from '../encode/document.js';
import type { Sink, WriteResult } from './sink.js';

const MS_PER_MINUTE = 60_000;

/** Who asks the loop to stop or to wait, and is told of its inserts. */
export interface LoopHooks {
  readonly stopping: () => boolean;
  /** Resolves when so many records may be sent; undefined where they may at once. */
  readonly turn: (records: number) => Promise<void> | undefined;
  /** @param sentMs see {@link WriteResult} */
  readonly acknowledged: (
    records: number,
    sentMs: number | undefined,
    metricName: string,
    minute: number,
  ) => void;
}

/**
 * Batch buffers, used again and again: the loop waits for a free one, so memory stays flat however
 * slow the sink is.
 */
export class BufferPool {
  readonly #free: BatchBuffer[];
  readonly #waiting: ((buffer: BatchBuffer) => void)[] = [];

  constructor(count: number, headroom: number) {
    this.#free = Array.from({ length: count }, () => new BatchBuffer(headroom));
  }

  /** A free buffer, as soon as there is one. */
  async take(): Promise<BatchBuffer> {
    return this.#free.pop() ?? new Promise((resolve) => this.#waiting.push(resolve));
  }

  give(buffer: BatchBuffer): void {
    const next = this.#waiting.shift();
    if (next) next(buffer);
    else this.#free.push(buffer);
  }
}

/**
 * Writes all batches of a shard, a few inserts side by side but of one series only one at a time,
 * so that each series reaches the server in time order. Stops early when `stopping()` says so,
 * after the inserts in flight.
 */
export async function loadShard(
  source: ShardSource,
  sink: Sink,
  buffers: BufferPool,
  { stopping, turn, acknowledged }: LoopHooks,
): Promise<WriteResult & { readonly complete: boolean }> {
  const inFlight = new Map<string, Promise<void>>();
  let inserted = 0;
  let alreadyThere = 0;
  let failure: { error: unknown } | undefined;
  let stopped = false;

  for (let metric = source.nextMetric; metric !== undefined; metric = source.nextMetric) {
    // First the series, then the buffer: a buffer that waits for its series would be missing
    // elsewhere.
    await inFlight.get(metric);
    const buffer = await buffers.take();
    const insert =
      failure || stopping() ? undefined : source.nextInsert(buffer, (metricName) => inFlight.has(metricName));
    await (insert && turn(insert.records));
    if (!insert || stopping()) {
      stopped = true;
      buffers.give(buffer);
      break;
    }
    const write = sink.write(insert).then(
      (result) => {
        inserted += result.inserted;
        alreadyThere += result.alreadyThere;
        const [batch] = insert.batches;
        const minute = Math.floor(batch.msAt(batch.records - 1) / MS_PER_MINUTE);
        acknowledged(insert.records, result.sentMs, batch.series.metricName, minute);
      },
      (error: unknown) => {
        failure ??= { error };
      },
    );
    const metricNames = insert.batches.map(({ series }) => series.metricName);
    const done = write.then(() => {
      buffers.give(buffer);
      for (const metricName of metricNames) inFlight.delete(metricName);
    });
    for (const metricName of metricNames) inFlight.set(metricName, done);
  }
  await Promise.all(inFlight.values());
  if (failure) throw failure.error;
  return { complete: !stopped && source.nextMetric === undefined, inserted, alreadyThere };
}
