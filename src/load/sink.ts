/** A sink: where records go. Its slowness holds the source back. */
import type { Insert } from '../encode/index.js';

/** What became of an insert: every record of it is either new or was there before. */
export interface WriteResult {
  readonly inserted: number;
  readonly alreadyThere: number;
  /** Positions, in the insert, of records whose `_id` the server had before. */
  readonly duplicates?: readonly number[];
}

export interface Sink {
  /** Resolves when every record is acknowledged; rejects when that cannot be reached. Called for several inserts side by side, never for two with one series. */
  write(insert: Insert): Promise<WriteResult>;
  /** Makes ready for so many inserts side by side, where that saves time later. */
  open?(inserts: number): void;
}

/** Encodes and throws away: measures the model and the encoder alone (`--writer none`). */
export const nullSink: Sink = {
  async write(insert) {
    insert.encode();
    return { inserted: insert.records, alreadyThere: 0 };
  },
};
