/** What one source leaves to the next one in the same thread: its arrays, and the templates of its series. */

import type { Layout } from '../config/settings.js';
import { buildTemplate, type Series, type Template } from '../encode/index.js';

/** More than a fleet of some hundred assets has; a larger fleet builds some of them again. */
const TEMPLATES = 4096;

/**
 * Memory for the sources of one dataset in one thread, one after the other: a new source takes over the arrays of the one before it. Allocating
 * them for each shard costs a fifth of the time that generating and encoding takes.
 */
export class SeriesMemory {
  readonly #values: Float64Array[] = [];
  #minutes = new Int32Array(0);
  readonly #templates = new Map<string, Template>();

  /** Every minute from `from` up to `to`. */
  minutes(from: number, to: number): Int32Array {
    const length = to - from;
    if (this.#minutes.length < length) this.#minutes = new Int32Array(length);
    const minutes = this.#minutes.subarray(0, length);
    for (let i = 0; i < length; i++) minutes[i] = from + i;
    return minutes;
  }

  /** The array of a source's `index`-th series, with whatever was in it. */
  values(index: number, length: number): Float64Array {
    const values = this.#values[index];
    if (values?.length >= length) return values.subarray(0, length);
    this.#values[index] = new Float64Array(length);
    return this.#values[index];
  }

  template(layout: Layout, series: Series): Template {
    const key = `${layout} ${series.assetId} ${series.metricName}`;
    const known = this.#templates.get(key);
    if (known) return known;
    if (this.#templates.size === TEMPLATES) this.#templates.clear();
    const template = buildTemplate(layout, series);
    this.#templates.set(key, template);
    return template;
  }
}
