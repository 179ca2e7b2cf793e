/**
 * Encoding by stamping. All documents of a series have the same bytes but for `_id`, `timestamp` and `value`, so the
 * `bson` library encodes the shape once and the hot loop copies it and patches these three places: about a
 * tenth of a microsecond a record, where encoding an object takes three.
 */
import { BSON } from 'mongodb';
import type { Layout } from '../config/settings.js';
import { documentOf } from './document.js';
import type { Series } from './series.js';

const MS_PER_MINUTE = 60_000;
const TWO_TO_32 = 4_294_967_296;

/** One document's bytes and where its variable parts lie. */
export interface Template {
  readonly bytes: Uint8Array;
  /** Offset of the four minute bytes inside `_id`; -1 where the layout has no `_id`. */
  readonly minuteOffset: number;
  readonly timestampOffset: number;
  readonly valueOffset: number;
}

/** The template of a series in a layout. */
export function buildTemplate(layout: Layout, series: Series): Template {
  const bytes = BSON.serialize(documentOf[layout](series, 0, 0));
  const id = valueOffsetOf(bytes, '_id');
  const timestamp = valueOffsetOf(bytes, 'timestamp');
  const value = valueOffsetOf(bytes, 'value');
  return { bytes, minuteOffset: id < 0 ? -1 : id + 8, timestampOffset: timestamp, valueOffset: value };
}

function valueOffsetOf(bytes: Uint8Array, field: string): number {
  const decoder = new TextDecoder();
  for (const [, nameOffset, nameLength, offset] of BSON.onDemand.parseToElements(bytes)) {
    if (decoder.decode(bytes.subarray(nameOffset, nameOffset + nameLength)) === field) return offset;
  }
  return -1;
}

/**
 * Memory for the documents of one batch, used again and again. It remembers which template its bytes were laid out with, so
 * that a series' next batch only patches.
 */
export class BatchBuffer {
  /** `headroom` bytes for the message section that precedes the documents, then the documents. */
  bytes: Buffer;
  #view: DataView;
  #template: Template | undefined;
  #laidOut = 0;

  constructor(readonly headroom: number) {
    this.bytes = Buffer.alloc(headroom);
    this.#view = new DataView(this.bytes.buffer, this.bytes.byteOffset);
  }

  /**
   * Writes one document a record. `minutes` and `values` run side by side.
   * Returns the offset after the last document (the first starts at `headroom`).
   */
  stamp(template: Template, minutes: Int32Array, values: Float64Array): number {
    const count = minutes.length;
    this.#layOut(template, count);
    const view = this.#view;
    const step = template.bytes.length;
    const { minuteOffset, timestampOffset, valueOffset } = template;
    let at = this.headroom;
    for (let i = 0; i < count; i++, at += step) {
      const minute = minutes[i];
      const ms = minute * MS_PER_MINUTE;
      const high = Math.floor(ms / TWO_TO_32);
      if (minuteOffset >= 0) view.setInt32(at + minuteOffset, minute);
      view.setUint32(at + timestampOffset, ms - high * TWO_TO_32, true);
      view.setUint32(at + timestampOffset + 4, high, true);
      view.setFloat64(at + valueOffset, values[i], true);
    }
    return at;
  }

  /** Lets go of the memory, for whoever still holds it; the next batch gets new. */
  discard(): void {
    this.bytes = Buffer.alloc(this.headroom);
    this.#template = undefined;
  }

  /** Fills the buffer with copies of the template, doubling what is there, unless it already holds enough of them. */
  #layOut(template: Template, count: number): void {
    const step = template.bytes.length;
    const end = this.headroom + count * step;
    if (this.bytes.length < end) {
      const larger = Buffer.allocUnsafeSlow(end);
      this.bytes.copy(larger, 0, 0, this.headroom);
      this.bytes = larger;
      this.#view = new DataView(larger.buffer, larger.byteOffset);
      this.#template = undefined;
    }
    if (this.#template !== template) {
      this.#template = template;
      this.#laidOut = 0;
    }
    if (this.#laidOut >= count) return;
    if (this.#laidOut === 0) {
      this.bytes.set(template.bytes, this.headroom);
      this.#laidOut = 1;
    }
    while (this.#laidOut < count) {
      const more = Math.min(this.#laidOut, count - this.#laidOut);
      const target = this.headroom + this.#laidOut * step;
      this.bytes.copyWithin(target, this.headroom, this.headroom + more * step);
      this.#laidOut += more;
    }
  }
}
