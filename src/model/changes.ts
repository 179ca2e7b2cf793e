/** How a machine departs from its pattern. */
import type { MetricChange } from '../fleet/types.js';

/** The same, complete: `offset + scale × pattern`, with `variation` times the noise. */
export type Change = Required<MetricChange>;

const NONE: Change = { scale: 1, offset: 0, variation: 1 };

export function changeOf(change: MetricChange | undefined): Change {
  return change ? { ...NONE, ...change } : NONE;
}

/** A value of the pattern as the machine has it, in per cent. */
export function changed(value: number, scale: number, offset: number): number {
  return Math.min(100, Math.max(0, offset + scale * value));
}
