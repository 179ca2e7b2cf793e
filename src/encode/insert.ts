/** What one insert command carries: a batch, or several short ones of different series. */
import type { Document } from 'mongodb';
import type { Layout } from '../config/settings.js';
import type { Batch, Minutes } from './batch.js';
import type { BatchBuffer } from './template.js';

/** The batches share one layout and one buffer. A period of an hour has 60 records a series: a command for each would cost more than they do. */
export class Insert {
  constructor(readonly batches: readonly [Batch, ...Batch[]]) {}

  get layout(): Layout {
    return this.batches[0].layout;
  }

  get buffer(): BatchBuffer {
    return this.batches[0].buffer;
  }

  get records(): number {
    return this.batches.reduce((sum, { records }) => sum + records, 0);
  }

  /** Encodes all batches into their buffer: `headroom` free bytes, then one BSON document a record. A view, valid until the buffer is used again. */
  encode(): Buffer {
    const { buffer } = this;
    let end = buffer.headroom;
    for (const { template, minutes, values } of this.batches)
      end = buffer.stamp(template, minutes, values, end);
    return buffer.bytes.subarray(0, end);
  }

  /** The same records as plain documents, for the driver's public methods. */
  documents(): Document[] {
    return this.batches.flatMap((batch) => batch.documents());
  }

  /** Without the records that are there: the minutes of each metric. Undefined where nothing is left. */
  without(present: ReadonlyMap<string, Minutes>): Insert | undefined {
    if (present.size === 0) return this;
    const [first, ...others] = this.batches.flatMap((batch) => {
      const minutes = present.get(batch.series.metricName);
      const rest = minutes ? batch.without(minutes) : batch;
      return rest.records === 0 ? [] : [rest];
    });
    return first && new Insert([first, ...others]);
  }
}
