/**
 * Whole numbers packed into blocks of 64 bits, as MongoDB packs the columns of its buckets
 * (Simple-8b: V. N. Anh and A. Moffat, "Index compression using 64-bit words", 2010, with MongoDB's
 * extensions). A block's low four bits are a selector, which says into how many slots of how many
 * bits the other sixty are cut. All bits of a slot set would mean "missing", so b bits hold numbers
 * up to 2^b - 2.
 */

/** Slots and bits of the selectors 1 to 14. */
const SLOTS = [0, 60, 30, 20, 15, 12, 10, 8, 7, 6, 5, 4, 3, 2, 1];
const BITS = [0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 15, 20, 30, 60];
/** Says that the last number comes so many times again. */
const RUN_SELECTOR = 15;
/** Runs come in multiples of this, up to sixteen of them in a block. */
export const RUN_LENGTH = 120;
const LONGEST_RUN = 16;
/** Selectors 7 and 8 have four more bits for their extensions; zero is the plain form. */
const EXTENDED = [7, 8];
const BLOCK_BYTES = 8;
const MAX_BLOCKS = 16;
const TWO_TO_32 = 4_294_967_296;

/** Slots of the widest cut whose slots have at least so many bits. */
const SLOTS_FOR_BITS = new Uint8Array(61);
for (let bits = 0; bits <= 60; bits++) {
  SLOTS_FOR_BITS[bits] = SLOTS[BITS.findIndex((width, selector) => selector > 0 && width >= bits)];
}
/** The selector with the most slots that so many numbers fill, so that none stays empty. */
const SELECTOR_FOR_COUNT = new Uint8Array(61);
for (let count = 1; count <= 60; count++) {
  SELECTOR_FOR_COUNT[count] = SLOTS.findIndex((slots, selector) => selector > 0 && slots <= count);
}

/**
 * The largest number that is packed: what a double holds exactly. A block would take 60 bits that
 * are not all set.
 */
export const MAX_PACKED = Number.MAX_SAFE_INTEGER;

function bitsOf(value: number): number {
  const above = value + 1;
  return above < TWO_TO_32 ? 32 - Math.clz32(above) : 64 - Math.clz32(Math.floor(above / TWO_TO_32));
}

/**
 * Packs `count` numbers (whole, from 0 to {@link MAX_PACKED}) into control bytes, each followed by
 * up to 16 blocks.
 * @param control high nibble of the control bytes: what the numbers stand for
 * @returns the offset behind the last block
 */
export function packNumbers(
  numbers: Float64Array,
  count: number,
  control: number,
  view: DataView,
  start: number,
): number {
  let at = start;
  let controlAt = -1;
  let blocks = MAX_BLOCKS;
  let next = 0;
  while (next < count) {
    if (blocks === MAX_BLOCKS) {
      controlAt = at++;
      blocks = 0;
    }
    // A run needs a block before it under the same control byte.
    const run = blocks === 0 ? 0 : runLength(numbers, next, count);
    if (run > 0) {
      view.setUint32(at, RUN_SELECTOR | ((run - 1) << 4), true);
      view.setUint32(at + 4, 0, true);
      next += run * RUN_LENGTH;
    } else {
      next += packBlock(numbers, next, count, view, at);
    }
    at += BLOCK_BYTES;
    view.setUint8(controlAt, control | blocks);
    blocks++;
  }
  return at;
}

/** How many times {@link RUN_LENGTH} the number before `next` is repeated there. */
function runLength(numbers: Float64Array, next: number, count: number): number {
  const last = numbers[next - 1];
  const end = Math.min(count, next + LONGEST_RUN * RUN_LENGTH);
  let i = next;
  while (i < end && numbers[i] === last) i++;
  return Math.floor((i - next) / RUN_LENGTH);
}

/** Packs as many numbers as one block takes; returns how many. */
function packBlock(numbers: Float64Array, next: number, count: number, view: DataView, at: number): number {
  const limit = Math.min(60, count - next);
  let fitting = 0;
  let bits = 0;
  while (fitting < limit) {
    const more = bitsOf(numbers[next + fitting]);
    if (more > bits) {
      if (SLOTS_FOR_BITS[more] <= fitting) break;
      bits = more;
    } else if (SLOTS_FOR_BITS[bits] <= fitting) break;
    fitting++;
  }
  const selector = SELECTOR_FOR_COUNT[fitting];
  const slots = SLOTS[selector];
  const width = BITS[selector];
  if (slots === 1) {
    // Up to 53 bits: in doubles, which are exact there.
    const shifted = numbers[next] * 16;
    const high = Math.floor(shifted / TWO_TO_32);
    view.setUint32(at, shifted - high * TWO_TO_32 + selector, true);
    view.setUint32(at + 4, high, true);
    return 1;
  }
  let low = selector;
  let high = 0;
  let shift = EXTENDED.includes(selector) ? 8 : 4;
  for (let i = 0; i < slots; i++, shift += width) {
    const number = numbers[next + i] | 0;
    if (shift >= 32) high |= number << (shift - 32);
    else {
      low |= number << shift;
      if (shift + width > 32) high |= number >>> (32 - shift);
    }
  }
  view.setInt32(at, low, true);
  view.setInt32(at + 4, high, true);
  return slots;
}
