/**
 * Reads compressed columns back, by the description of the format alone: shares nothing with the
 * encoder.
 */
const SLOTS = [0, 60, 30, 20, 15, 12, 10, 8, 7, 6, 5, 4, 3, 2, 1];
const BITS = [0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 15, 20, 30, 60];
const FACTORS: Readonly<Record<number, number>> = { 9: 1, 10: 10, 11: 100, 12: 10_000, 13: 100_000_000 };

export interface Decoded {
  readonly values: readonly number[];
  /** Offset behind the column. */
  readonly end: number;
}

/** The numbers of the blocks from `at` on. @throws Error for a slot that says "missing" */
function unpack(bytes: Buffer, at: number, blocks: number): bigint[] {
  const numbers: bigint[] = [];
  for (let block = 0; block < blocks; block++) {
    const word = bytes.readBigUInt64LE(at + 8 * block);
    const selector = Number(word & 15n);
    if (selector === 15) {
      if (block === 0) throw new Error('a run that nothing precedes');
      const times = (Number((word >> 4n) & 15n) + 1) * 120;
      for (let i = 0; i < times; i++) numbers.push(numbers[numbers.length - 1]);
      continue;
    }
    const extended = selector === 7 || selector === 8;
    if (extended && ((word >> 4n) & 15n) !== 0n) throw new Error('an extended selector');
    const width = BigInt(BITS[selector]);
    const all = (1n << width) - 1n;
    for (let slot = 0; slot < SLOTS[selector]; slot++) {
      const number = (word >> (BigInt(slot) * width + (extended ? 8n : 4n))) & all;
      if (number === all) throw new Error('a missing value');
      numbers.push(number);
    }
  }
  return numbers;
}

function unzigzag(number: bigint): bigint {
  return (number >> 1n) ^ -(number & 1n);
}

/** Values of a column of doubles, or milliseconds of a column of dates. */
export function decodeColumn(bytes: Buffer, start = 0): Decoded {
  const values: number[] = [];
  let at = start;
  let dates = false;
  let difference = 0n;
  let whole = { factor: 0, number: 0n };
  for (;;) {
    const control = bytes[at];
    if (control === 0) return { values, end: at + 1 };
    if (control === 0x09 || control === 0x01) {
      if (bytes[at + 1] !== 0) throw new Error('an element with a name');
      dates = control === 0x09;
      values.push(dates ? Number(bytes.readBigInt64LE(at + 2)) : bytes.readDoubleLE(at + 2));
      difference = 0n;
      whole = { factor: 0, number: 0n };
      at += 10;
      continue;
    }
    const blocks = (control & 15) + 1;
    const kind = control >> 4;
    for (const number of unpack(bytes, at + 1, blocks)) {
      const step = unzigzag(number);
      const last = values[values.length - 1];
      if (dates) {
        if (kind !== 8) throw new Error(`dates of kind ${kind}`);
        difference += step;
        values.push(last + Number(difference));
      } else {
        const factor = FACTORS[kind];
        if (!factor) throw new Error(`doubles of kind ${kind}`);
        if (whole.factor !== factor) whole = { factor, number: BigInt(Math.round(last * factor)) };
        whole.number += step;
        values.push(Number(whole.number) / factor);
      }
    }
    at += 1 + 8 * blocks;
  }
}
