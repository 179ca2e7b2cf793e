/** What one insert command carries: a batch, or several short ones of different series. */
import type { Document } from 'mongodb';
import type { Layout } from '../config/settings.js';
import { msOfTick } from '../model/sampling.js';
import type { EncodedBuckets } from './bucket.js';
import { type BatchBuffer, documentOf, type Series, type Template } from './document.js';

// A batch: some records of one series, encoded only when and how somebody asks.
/** Some instants, in milliseconds since the epoch: a set of them, or a map by them. */
export interface Instants {
  has(ms: number): boolean;
}

export class Batch {
  constructor(
    readonly layout: Layout,
    readonly series: Series,
    readonly template: Template,
    /** Of the series' sampling: rising, but where a fleet file says that samples come late. */
    readonly ticks: Int32Array,
    readonly values: Float64Array,
    readonly buffer: BatchBuffer,
    /** 2 where these are second records of samples that are there twice. */
    readonly copy: 1 | 2 = 1,
  ) {}

  /** Tells it from batches of other series of its shard, and from second records of its own. */
  get key(): string {
    const { metricName } = this.series;
    return this.copy === 1 ? metricName : `${metricName} twice`;
  }

  get records(): number {
    return this.ticks.length;
  }

  /** Of the documents, when they are encoded. */
  get bytes(): number {
    return this.records * this.template.bytes.length;
  }

  /**
   * Encodes into the batch's buffer: `headroom` free bytes, then one BSON document a record. A
   * view, valid until the buffer is used again.
   */
  encode(): Buffer {
    const end = this.buffer.stamp(this);
    return this.buffer.bytes.subarray(0, end);
  }

  /** The same records as plain documents, for the driver's public methods. */
  documents(): Document[] {
    const build = documentOf[this.layout];
    return Array.from(this.ticks, (tick, i) => build(this.series, tick, this.values[i]));
  }

  /** The instant of a record, in milliseconds since the epoch. */
  msAt(position: number): number {
    return msOfTick(this.series.sampling, this.ticks[position]);
  }

  /** The same batch without the records whose instants `present` holds. */
  without(present: Instants): Batch {
    const keep = Array.from(this.ticks.keys()).filter((i) => !present.has(this.msAt(i)));
    if (keep.length === this.records) return this;
    const ticks = Int32Array.from(keep, (i) => this.ticks[i]);
    const values = Float64Array.from(keep, (i) => this.values[i]);
    return new Batch(this.layout, this.series, this.template, ticks, values, this.buffer, this.copy);
  }

  /** The same records, to be encoded into another buffer. */
  using(buffer: BatchBuffer): Batch {
    return new Batch(this.layout, this.series, this.template, this.ticks, this.values, buffer, this.copy);
  }
}

/**
 * The batches share one layout and one buffer. A period of an hour has 60 records a series: a
 * command for each would cost more than they do.
 */
export class Insert {
  #buckets: EncodedBuckets | undefined;

  constructor(
    readonly batches: readonly [Batch, ...Batch[]],
    /** True where the records are written as compressed buckets. */
    readonly asBuckets = false,
  ) {}

  /** Keeps its buckets, encoded into its buffer, for the first time that it is sent. */
  keepBuckets(buckets: EncodedBuckets): void {
    this.#buckets = buckets;
  }

  /** Only once: a connection that broke may hold on to the bytes, so they must not change then. */
  takeBuckets(): EncodedBuckets | undefined {
    const kept = this.#buckets;
    this.#buckets = undefined;
    return kept;
  }

  /**
   * True where the server knows what it has by an `_id` that is always the same: sending it twice
   * is harmless.
   */
  get isKeyed(): boolean {
    return this.asBuckets || this.layout === 'flat';
  }

  get layout(): Layout {
    return this.batches[0].layout;
  }

  get buffer(): BatchBuffer {
    return this.batches[0].buffer;
  }

  get records(): number {
    return this.batches.reduce((sum, { records }) => sum + records, 0);
  }

  /**
   * Encodes all batches into their buffer: `headroom` free bytes, then one BSON document a record.
   * A view, valid until the buffer is used again.
   */
  encode(): Buffer {
    const { buffer } = this;
    let end = buffer.headroom;
    for (const batch of this.batches) end = buffer.stamp(batch, end);
    return buffer.bytes.subarray(0, end);
  }

  /** The same records as plain documents, for the driver's public methods. */
  documents(): Document[] {
    return this.batches.flatMap((batch) => batch.documents());
  }

  /**
   * Without the records that are there: the instants of each batch's key. Undefined where nothing is
   * left.
   */
  without(present: ReadonlyMap<string, Instants>): Insert | undefined {
    if (present.size === 0) return this;
    const [first, ...others] = this.batches.flatMap((batch) => {
      const instants = present.get(batch.key);
      const rest = instants ? batch.without(instants) : batch;
      return rest.records === 0 ? [] : [rest];
    });
    return first && new Insert([first, ...others]);
  }
}
