/** A batch: some records of one series, encoded only when and how somebody asks. */
import type { Document } from 'mongodb';
import type { Layout } from '../config/settings.js';
import { documentOf } from './document.js';
import type { Series } from './series.js';
import type { BatchBuffer, Template } from './template.js';

/** Some minutes: a set of them, or a map by them. */
export interface Minutes {
  has(minute: number): boolean;
}

export class Batch {
  constructor(
    readonly layout: Layout,
    readonly series: Series,
    readonly template: Template,
    /** Minutes since the epoch, rising. */
    readonly minutes: Int32Array,
    readonly values: Float64Array,
    readonly buffer: BatchBuffer,
  ) {}

  get records(): number {
    return this.minutes.length;
  }

  /** Of the documents, when they are encoded. */
  get bytes(): number {
    return this.records * this.template.bytes.length;
  }

  /** Encodes into the batch's buffer: `headroom` free bytes, then one BSON document a record. A view, valid until the buffer is used again. */
  encode(): Buffer {
    const end = this.buffer.stamp(this.template, this.minutes, this.values);
    return this.buffer.bytes.subarray(0, end);
  }

  /** The same records as plain documents, for the driver's public methods. */
  documents(): Document[] {
    const build = documentOf[this.layout];
    return Array.from(this.minutes, (minute, i) => build(this.series, minute, this.values[i]));
  }

  /** The same batch without the records whose minutes `present` holds. */
  without(present: Minutes): Batch {
    const keep = Array.from(this.minutes.keys()).filter((i) => !present.has(this.minutes[i]));
    if (keep.length === this.records) return this;
    const minutes = Int32Array.from(keep, (i) => this.minutes[i]);
    const values = Float64Array.from(keep, (i) => this.values[i]);
    return new Batch(this.layout, this.series, this.template, minutes, values, this.buffer);
  }

  /** The same records, to be encoded into another buffer. */
  using(buffer: BatchBuffer): Batch {
    return new Batch(this.layout, this.series, this.template, this.minutes, this.values, buffer);
  }
}
