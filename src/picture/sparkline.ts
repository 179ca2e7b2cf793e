/** A row of values in the room of a word. */

const LEVELS = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
/** Where the scale of per cents ends: the first that holds the highest value. */
const PERCENT_TOPS = [10, 25, 50, 75, 100];

/** Where the scale of a row ends. It begins at 0, so that what is steady looks steady. */
export function scaleTop(values: readonly (number | null)[], unit: string): number {
  const highest = values.reduce<number>((top, value) => Math.max(top, value ?? 0), 0);
  if (unit !== 'percentage') return highest;
  return PERCENT_TOPS.find((top) => highest <= top) ?? highest;
}

/** One character for each value, a blank for none. */
export function sparkline(values: readonly (number | null)[], top: number): string {
  return values.map((value) => (value === null ? ' ' : level(value, top))).join('');
}

function level(value: number, top: number): string {
  const share = top > 0 ? value / top : 0;
  return LEVELS[Math.min(LEVELS.length - 1, Math.max(0, Math.floor(share * LEVELS.length)))];
}

/** The values as so many means of neighbours, as equal in number as can be. */
export function condense(values: readonly (number | null)[], cells: number): (number | null)[] {
  return Array.from({ length: cells }, (_, i) => {
    const from = Math.floor((i * values.length) / cells);
    const to = Math.max(from + 1, Math.floor(((i + 1) * values.length) / cells));
    const there = values.slice(from, to).filter((value) => value !== null);
    return there.length === 0 ? null : there.reduce((sum, value) => sum + value, 0) / there.length;
  });
}
