/** A row of values in the room of a word. */
import { type Scale, shareOf } from './scale.js';

const LEVELS = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/** One character for each value, a blank for none. */
export function sparkline(values: readonly (number | null)[], scale: Scale): string {
  return values.map((value) => (value === null ? ' ' : level(shareOf(value, scale)))).join('');
}

function level(share: number): string {
  return LEVELS[Math.min(LEVELS.length - 1, Math.floor(share * LEVELS.length))];
}
