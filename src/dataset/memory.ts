/**
 * What one source leaves to the next one in the same thread: its arrays, and the templates of its
 * series.
 */
import type { Layout } from '../config/settings.js';
import { buildTemplate, type Series, type Template } from '../encode/document.js';
import { firstTick, type Sampling } from '../model/sampling.js';

/** More than a fleet of some hundred assets has; a larger fleet builds some of them again. */
const TEMPLATES = 4096;

/** Those of one thread, each built once. */
export class Templates {
  readonly #known = new Map<string, Template>();

  of(layout: Layout, series: Series): Template {
    // Second records of a series have other ids.
    const key = `${layout} ${series.assetId} ${series.metricName} ${Buffer.from(series.idPrefix).toString('hex')}`;
    const known = this.#known.get(key);
    if (known) return known;
    if (this.#known.size === TEMPLATES) this.#known.clear();
    const template = buildTemplate(layout, series);
    this.#known.set(key, template);
    return template;
  }
}

/** Ticks from `first` on, as many as are filled. */
interface RegularTicks {
  readonly array: Int32Array;
  readonly first: number;
  readonly filled: number;
}

/**
 * Memory for the sources of one dataset in one thread, one after the other: a new source takes over
 * the arrays of the one before it. Allocating them for each shard costs a fifth of the time that
 * generating and encoding takes.
 */
export class SeriesMemory {
  readonly #values: Float64Array[] = [];
  /** By the milliseconds from one sample to the next. */
  readonly #ticks = new Map<number, RegularTicks>();

  /** @param templates of this thread's memories together */
  constructor(readonly templates = new Templates()) {}

  /** So many ticks of samples, from the first one in or after a minute. */
  ticks(sampling: Sampling, from: number, count: number): Int32Array {
    const { step, tickMs } = sampling;
    const first = firstTick(sampling, from);
    let known = this.#ticks.get(step * tickMs);
    if (known?.first !== first || known.filled < count) {
      const array = known && known.array.length >= count ? known.array : new Int32Array(count);
      for (let i = 0, tick = first; i < count; i++, tick += step) array[i] = tick;
      known = { array, first, filled: count };
      this.#ticks.set(step * tickMs, known);
    }
    return known.array.subarray(0, count);
  }

  /** The array of a source's `index`-th series, with whatever was in it. */
  values(index: number, length: number): Float64Array {
    const values = this.#values[index];
    if (values?.length >= length) return values.subarray(0, length);
    this.#values[index] = new Float64Array(length);
    return this.#values[index];
  }
}
