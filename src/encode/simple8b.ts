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
const RUN_LENGTH = 120;
const LONGEST_RUN = 16;
/** Selectors 7 and 8 have four more bits for their extensions; zero is the plain form. */
const FIRST_SHIFT = SLOTS.map((_, selector) => (selector === 7 || selector === 8 ? 8 : 4));
const MOST_SLOTS = 60;
/** The selector whose slot takes any number. */
const ONE_SLOT = 14;
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

/** Stands where a number is not small: with more bits than a block has for each of two. */
const WIDE = 2 ** 30 - 1;
/** Numbers up to this are small. */
const MAX_SMALL = WIDE - 1;

/**
 * Whole numbers from 0 to {@link MAX_PACKED}, to be packed. The loops over them are most of what a
 * bucket costs, so they see 32-bit integers; what does not fit into one lies beside them.
 */
export class Numbers {
  readonly small: Int32Array;
  /** Read where `small` says so. */
  readonly #wide: Float64Array;

  constructor(longest: number) {
    this.small = new Int32Array(longest);
    this.#wide = new Float64Array(longest);
  }

  /** A number of any size. Small ones may be put into `small`. */
  set(position: number, number: number): void {
    this.small[position] = number > MAX_SMALL ? WIDE : number;
    this.#wide[position] = number;
  }

  /**
   * Packs the first `count` numbers into control bytes, each followed by up to 16 blocks.
   * @param control high nibble of the control bytes: what the numbers stand for
   * @returns the offset behind the last block
   */
  pack(count: number, control: number, view: DataView, start: number): number {
    const { small } = this;
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
      const run =
        blocks > 0 && count - next >= RUN_LENGTH && small[next] === small[next - 1]
          ? this.#runLength(next, count)
          : 0;
      if (run > 0) {
        view.setInt32(at, RUN_SELECTOR | ((run - 1) << 4), true);
        view.setInt32(at + 4, 0, true);
        next += run * RUN_LENGTH;
      } else {
        const selector = selectorFor(small, next, count);
        if (selector === ONE_SLOT) packOne(small[next] === WIDE ? this.#wide[next] : small[next], view, at);
        else packSlots(small, next, selector, view, at);
        next += SLOTS[selector];
      }
      at += BLOCK_BYTES;
      view.setUint8(controlAt, control | blocks);
      blocks++;
    }
    return at;
  }

  /** How many times {@link RUN_LENGTH} the number before `next` is repeated there. */
  #runLength(next: number, count: number): number {
    const last = this.small[next - 1];
    const end = Math.min(count, next + LONGEST_RUN * RUN_LENGTH);
    let i = next;
    while (i < end && this.small[i] === last && (last !== WIDE || this.#wide[i] === this.#wide[next - 1]))
      i++;
    return Math.floor((i - next) / RUN_LENGTH);
  }
}

/** The selector of the block that takes the most numbers from `next` on. */
function selectorFor(small: Int32Array, next: number, count: number): number {
  if (count - next < 8) return selectorForMore(small, next, count, 0, 0);
  // Each has as many bits as the largest of the first two, three … numbers.
  const two = (small[next] + 1) | (small[next + 1] + 1);
  const three = two | (small[next + 2] + 1);
  const four = three | (small[next + 3] + 1);
  const five = four | (small[next + 4] + 1);
  const six = five | (small[next + 5] + 1);
  const seven = six | (small[next + 6] + 1);
  const eight = seven | (small[next + 7] + 1);
  // A sign bit where so many fit, and so do fewer: counted without a branch, since the processor
  // could not guess it and would lose more than all of this costs.
  const fitting =
    1 +
    ((two - 2 ** 30) >>> 31) +
    ((three - 2 ** 20) >>> 31) +
    ((four - 2 ** 15) >>> 31) +
    ((five - 2 ** 12) >>> 31) +
    ((six - 2 ** 10) >>> 31) +
    ((seven - 2 ** 8) >>> 31) +
    ((eight - 2 ** 7) >>> 31);
  return fitting < 8 ? SELECTOR_FOR_COUNT[fitting] : selectorForMore(small, next, count, 8, eight);
}

/**
 * The same, number by number.
 * @param fitting numbers that are known to fit
 * @param bits as many as the largest of them has
 */
function selectorForMore(
  small: Int32Array,
  next: number,
  count: number,
  fitting: number,
  bits: number,
): number {
  const limit = Math.min(MOST_SLOTS, count - next);
  let taken = fitting;
  for (let all = bits; taken < limit; taken++) {
    all |= small[next + taken] + 1;
    if (SLOTS_FOR_BITS[32 - Math.clz32(all)] <= taken) break;
  }
  return SELECTOR_FOR_COUNT[taken];
}

/** Up to 53 bits: in doubles, which are exact there. */
function packOne(number: number, view: DataView, at: number): void {
  const shifted = number * 16;
  const high = Math.floor(shifted / TWO_TO_32);
  view.setUint32(at, shifted - high * TWO_TO_32 + ONE_SLOT, true);
  view.setUint32(at + 4, high, true);
}

/** Two slots at least, which are more than 32 bits together. */
function packSlots(small: Int32Array, next: number, selector: number, view: DataView, at: number): void {
  const end = next + SLOTS[selector];
  const width = BITS[selector];
  let shift = FIRST_SHIFT[selector];
  let low = selector;
  let i = next;
  for (; shift + width <= 32; shift += width) low |= small[i++] << shift;
  let high = 0;
  if (shift < 32) {
    low |= small[i] << shift;
    high = small[i++] >>> (32 - shift);
    shift += width;
  }
  for (shift -= 32; i < end; shift += width) high |= small[i++] << shift;
  view.setInt32(at, low, true);
  view.setInt32(at + 4, high, true);
}
