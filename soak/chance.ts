/** Random choices that a seed repeats. */
import seedrandom from 'seedrandom';

export class Chance {
  readonly #next: () => number;

  constructor(seed: string) {
    this.#next = seedrandom(seed);
  }

  /** From `low` on, before `high`. */
  between(low: number, high: number): number {
    return low + this.#next() * (high - low);
  }

  /** A whole number, both ends included. */
  whole(low: number, high: number): number {
    return Math.floor(this.between(low, high + 1));
  }

  one<T>(of: readonly T[]): T {
    return of[this.whole(0, of.length - 1)];
  }

  happens(probability: number): boolean {
    return this.#next() < probability;
  }
}
