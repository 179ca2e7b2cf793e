/** Drives one shard from its source to its sink. */
import { BatchBuffer } from '../encode/index.js';
import type { Sink, WriteResult } from './sink.js';
import type { ShardSource } from './source.js';

/** Batches in flight in one worker; bench/README.md has the measurement behind it. */
export const BATCHES_IN_FLIGHT = 4;

/** What the loop tells its caller about each acknowledged batch. */
export type Acknowledged = (records: number, micros: number, metricName: string, minute: number) => void;

/** Batch buffers, used again and again: the loop waits for a free one, so memory stays flat however slow the sink is. */
export class BufferPool {
  readonly #free: BatchBuffer[];

  constructor(count: number, headroom: number) {
    this.#free = Array.from({ length: count }, () => new BatchBuffer(headroom));
  }

  take(): BatchBuffer | undefined {
    return this.#free.pop();
  }

  give(buffer: BatchBuffer): void {
    this.#free.push(buffer);
  }
}

/**
 * Writes all batches of a shard, a few side by side but of one series only one at a time, so that each series reaches
 * the server in time order. Stops early when `stopping()` says so, after the batches in flight.
 */
export async function loadShard(
  source: ShardSource,
  sink: Sink,
  buffers: BufferPool,
  stopping: () => boolean,
  acknowledged: Acknowledged,
): Promise<WriteResult & { readonly complete: boolean }> {
  const inFlight = new Map<string, Promise<void>>();
  let inserted = 0;
  let alreadyThere = 0;
  let failure: { error: unknown } | undefined;

  while (!failure) {
    if (stopping()) break;
    const buffer = buffers.take();
    if (!buffer) {
      await Promise.race(inFlight.values());
      continue;
    }
    const batch = source.nextBatch(buffer);
    if (!batch) {
      buffers.give(buffer);
      await Promise.all(inFlight.values());
      if (failure) break;
      return { complete: true, inserted, alreadyThere };
    }
    const metric = batch.series.metricName;
    await inFlight.get(metric);
    const sent = performance.now();
    const write = sink.write(batch).then(
      (result) => {
        inserted += result.inserted;
        alreadyThere += result.alreadyThere;
        const last = batch.minutes[batch.records - 1];
        acknowledged(batch.records, (performance.now() - sent) * 1000, metric, last);
      },
      (error: unknown) => {
        failure ??= { error };
      },
    );
    inFlight.set(
      metric,
      write.then(() => {
        buffers.give(buffer);
        inFlight.delete(metric);
      }),
    );
  }
  await Promise.all(inFlight.values());
  if (failure) throw failure.error;
  return { complete: false, inserted, alreadyThere };
}
