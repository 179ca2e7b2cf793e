/** A sink: where batches go. Its slowness holds the source back. */
import type { Batch } from '../encode/index.js';

/** What became of a batch: every record of it is either new or was there before. */
export interface WriteResult {
  readonly inserted: number;
  readonly alreadyThere: number;
}

export interface Sink {
  /** Resolves when every record of the batch is acknowledged; rejects when that cannot be reached. Called for several batches side by side, never for two of one series. */
  write(batch: Batch): Promise<WriteResult>;
}

/** Encodes and throws away: measures the model and the encoder alone (`--writer none`). */
export const nullSink: Sink = {
  async write(batch) {
    batch.encode();
    return { inserted: batch.records, alreadyThere: 0 };
  },
};
