/**
 * Columns of a bucket as MongoDB compresses them (BSON binary subtype 7, "BSONColumn"): a first
 * element as it is, then differences, packed by {@link packNumbers}, then a zero byte. Where a
 * value is not a whole number of some decimal fraction the column keeps it as an element of its
 * own: nothing is ever rounded.
 */
import { msOfTick, type Sampling } from '../model/sampling.js';
import { MAX_PACKED, Numbers } from './simple8b.js';

const TWO_TO_32 = 4_294_967_296;
const DATE = 0x09;
const DOUBLE = 0x01;
/** A type, an empty name, and eight bytes. */
const ELEMENT_BYTES = 10;
/** High nibble of the control bytes of dates. */
const INTEGERS = 0x80;

/** High nibbles of the control bytes of doubles, by what makes them whole. */
const SCALES = [
  { factor: 1, control: 0x90 },
  { factor: 10, control: 0xa0 },
  { factor: 100, control: 0xb0 },
  { factor: 10_000, control: 0xc0 },
  { factor: 100_000_000, control: 0xd0 },
] as const;

/** No column of so many values is longer, packed or not. */
export function columnRoom(values: number): number {
  return (values + 1) * (ELEMENT_BYTES + 1) + 1;
}

/** Of one column at a time. */
export class ColumnEncoder {
  /** Differences, zigzag-coded. */
  readonly #numbers: Numbers;
  /** The smallest and the largest value of the column of doubles that was encoded last. */
  least = 0;
  most = 0;
  /**
   * By distance, and then by their number: columns of dates that are evenly apart, which differ in
   * the first one alone.
   */
  readonly #regular = new Map<number, (Uint8Array | undefined)[]>();

  /** @param longest column that is going to be encoded, in values */
  constructor(longest: number) {
    this.#numbers = new Numbers(longest);
  }

  /**
   * The instants of the ticks from `from` up to `to`, which rise, as dates.
   * @returns the offset behind the column
   */
  dates(
    sampling: Sampling,
    ticks: Int32Array,
    from: number,
    to: number,
    view: DataView,
    start: number,
  ): number {
    const count = to - from;
    const { step, tickMs, jitterMs } = sampling;
    // Ticks rise by a step at least.
    if (jitterMs !== 0 || ticks[to - 1] - ticks[from] !== (count - 1) * step) {
      return this.#dates(sampling, ticks, from, to, view, start);
    }
    let regular = this.#regular.get(step * tickMs);
    if (regular === undefined) {
      regular = [];
      this.#regular.set(step * tickMs, regular);
    }
    const known = regular[count];
    if (known === undefined) {
      const end = this.#dates(sampling, ticks, from, to, view, start);
      regular[count] = bytesOf(view).slice(start, end);
      return end;
    }
    bytesOf(view).set(known, start);
    writeMs(view, start + ELEMENT_BYTES - 8, ticks[from] * tickMs);
    return start + known.length;
  }

  #dates(
    sampling: Sampling,
    ticks: Int32Array,
    from: number,
    to: number,
    view: DataView,
    start: number,
  ): number {
    let at = element(view, start, DATE);
    let last = msOfTick(sampling, ticks[from]);
    writeMs(view, at - 8, last);
    // Differences of differences; before the first there was none.
    let before = 0;
    for (let i = from + 1; i < to; i++) {
      const ms = msOfTick(sampling, ticks[i]);
      const difference = ms - last;
      this.#numbers.set(i - from - 1, zigzag(difference - before));
      before = difference;
      last = ms;
    }
    at = this.#numbers.pack(to - from - 1, INTEGERS, view, at);
    view.setUint8(at, 0);
    return at + 1;
  }

  /**
   * The values from `from` up to `to`.
   * @returns the offset behind the column
   */
  doubles(values: Float64Array, from: number, to: number, view: DataView, start: number): number {
    // What is too large for the first loop at some scale is so at every larger one.
    const scale =
      SCALES.find(({ factor }) => this.#smallDifferences(values, from, to, factor)) ??
      SCALES.find(({ factor }) => this.#differences(values, from, to, factor));
    if (!scale) return this.#asTheyAre(values, from, to, view, start);
    const first = element(view, start, DOUBLE);
    view.setFloat64(first - 8, values[from], true);
    const at = this.#numbers.pack(to - from - 1, scale.control, view, first);
    view.setUint8(at, 0);
    return at + 1;
  }

  #asTheyAre(values: Float64Array, from: number, to: number, view: DataView, start: number): number {
    let at = start;
    this.least = values[from];
    this.most = values[from];
    for (let i = from; i < to; i++) {
      const value = values[i];
      at = element(view, at, DOUBLE);
      view.setFloat64(at - 8, value, true);
      if (value < this.least) this.least = value;
      else if (value > this.most) this.most = value;
    }
    view.setUint8(at, 0);
    return at + 1;
  }

  /**
   * {@link #differences} of values that are not large, which nearly all are: in one pass, and in
   * integers.
   */
  #smallDifferences(values: Float64Array, from: number, to: number, factor: number): boolean {
    const { small } = this.#numbers;
    let before = Math.round(values[from] * factor) | 0;
    if (before / factor !== values[from]) return false;
    let least = before;
    let most = before;
    for (let i = from + 1, place = 0; i < to; i++, place++) {
      const value = values[i];
      const number = Math.round(value * factor) | 0;
      if (number / factor !== value) return false;
      if (number < least) least = number;
      else if (number > most) most = number;
      const difference = number - before;
      before = number;
      small[place] = (difference << 1) ^ (difference >> 31);
    }
    if (least <= -MAX_SMALL_WHOLE || most >= MAX_SMALL_WHOLE) return false;
    if (least <= 0 && most >= 0 && hasMinusZero(values, from, to)) return false;
    this.least = least / factor;
    this.most = most / factor;
    return true;
  }

  /**
   * The differences of the values as whole numbers of 1/`factor`.
   * @returns whether every value is one, exactly
   */
  #differences(values: Float64Array, from: number, to: number, factor: number): boolean {
    let before = 0;
    let least = MAX_WHOLE;
    let most = -MAX_WHOLE;
    for (let i = from; i < to; i++) {
      const value = values[i];
      const number = Math.round(value * factor);
      // Of two neighbours as large as this the difference still fits. Minus zero would lose its
      // sign.
      if (number / factor !== value || number > MAX_WHOLE || number < -MAX_WHOLE || Object.is(number, -0)) {
        return false;
      }
      least = Math.min(least, number);
      most = Math.max(most, number);
      if (i > from) this.#numbers.set(i - from - 1, zigzag(number - before));
      before = number;
    }
    this.least = least / factor;
    this.most = most / factor;
    return true;
  }
}

/** Of two as large as this the difference, zigzag-coded, is a small number. */
const MAX_SMALL_WHOLE = 2 ** 28;
function hasMinusZero(values: Float64Array, from: number, to: number): boolean {
  for (let i = from; i < to; i++) if (Object.is(values[i], -0)) return true;
  return false;
}

const MAX_WHOLE = Math.floor(MAX_PACKED / 4);

function bytesOf({ buffer, byteOffset, byteLength }: DataView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** 0, -1, 1, -2, 2 … as 0, 1, 2, 3, 4 … */
function zigzag(difference: number): number {
  return difference < 0 ? -2 * difference - 1 : 2 * difference;
}

/**
 * Begins an element; its eight bytes are the caller's to write, before the offset that is returned.
 */
function element(view: DataView, at: number, type: number): number {
  view.setUint8(at, type);
  view.setUint8(at + 1, 0);
  return at + ELEMENT_BYTES;
}

/** Milliseconds as a BSON date. */
export function writeMs(view: DataView, at: number, ms: number): void {
  const high = Math.floor(ms / TWO_TO_32);
  view.setUint32(at, ms - high * TWO_TO_32, true);
  view.setInt32(at + 4, high, true);
}
