/**
 * Tells a record that is there already from one of the same series and minute that is another's: "already there" is said of this run's
 * own records alone.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Document } from 'mongodb';
import { type Batch, flatDocument, type Insert, recordId, type Series } from '../encode/index.js';
import { ExitStatus, SeedError } from '../errors.js';
import { instantOf } from '../plan/index.js';
import { METRICS } from '../store/names.js';

/** Some records of one batch, by their positions in it, rising. */
export interface Picked {
  readonly batch: Batch;
  readonly positions: readonly number[];
}

/** The records at these positions of an insert. */
export function pick(insert: Insert, positions: readonly number[]): Picked[] {
  const rising = [...positions].sort((a, b) => a - b);
  const picked: Picked[] = [];
  let begin = 0;
  for (const batch of insert.batches) {
    const end = begin + batch.records;
    const own = rising.filter((at) => at >= begin && at < end).map((at) => at - begin);
    if (own.length > 0) picked.push({ batch, positions: own });
    begin = end;
  }
  return picked;
}

/** The `_id`s of the first and the last of them. */
export function idRange({ batch: { series, minutes }, positions }: Picked) {
  return {
    first: recordId(series, minutes[positions[0]]),
    last: recordId(series, minutes[positions[positions.length - 1]]),
  };
}

/**
 * @param stored documents by their `_id` in hexadecimal. Fields that somebody has added to them are no matter, and one that is missing
 *   here has gone since: the count at the end of the load tells
 * @throws SeedError for a document that is not the record, though it bears its `_id`
 */
export function refuseOtherDocuments(
  { batch, positions }: Picked,
  stored: ReadonlyMap<string, Document>,
): void {
  const { series, minutes, values } = batch;
  for (const position of positions) {
    const minute = minutes[position];
    const found = stored.get(recordId(series, minute).toHexString());
    if (!found) continue;
    const { _id, ...planned } = flatDocument(series, minute, values[position]);
    for (const [field, value] of Object.entries({ ...planned, value: values[position] })) {
      if (!isDeepStrictEqual(found[field], value)) throw anothers(series, minute, field, found[field], value);
    }
  }
}

/**
 * @param present what is stored, by metric and minute
 * @throws SeedError for a record that is there with another value
 */
export function refuseOtherValues(
  { batches }: Insert,
  present: ReadonlyMap<string, ReadonlyMap<number, unknown>>,
): void {
  for (const { series, minutes, values } of batches) {
    const stored = present.get(series.metricName);
    if (!stored || stored.size === 0) continue;
    for (const [position, minute] of minutes.entries()) {
      const value = values[position];
      if (stored.has(minute) && stored.get(minute) !== value) {
        throw anothers(series, minute, 'value', stored.get(minute), value);
      }
    }
  }
}

function anothers(
  series: Series,
  minute: number,
  field: string,
  found: unknown,
  planned: unknown,
): SeedError {
  const which = `${series.assetId} ${series.metricName} at ${instantOf(minute).toISOString()}`;
  return new SeedError(
    ExitStatus.targetNotReady,
    `${METRICS} holds another record of ${which}: its ${field} is ${shown(found)}, not ${shown(planned)}`,
    'use another --database, or --clean --yes to replace what is there',
  );
}

const LONGEST = 60;

function shown(value: unknown): string {
  if (value instanceof Date && !Number.isNaN(value.getTime())) return value.toISOString();
  // Of a time-series record that is there several times, with several values.
  if (Number.isNaN(value)) return 'not one alone';
  return (typeof value === 'object' ? JSON.stringify(value) : String(value)).slice(0, LONGEST);
}
