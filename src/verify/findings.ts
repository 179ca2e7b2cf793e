/** What a comparison of a dataset with a database finds. */
import { seriesKey } from '../dataset/series.js';

/**
 * `missing`: planned, not there. `doubled`: there more than once. `different`: there with other
 * content. `foreign`: there, not planned.
 */
const DEFECTS = ['missing', 'doubled', 'different', 'foreign'] as const;
export type Defect = (typeof DEFECTS)[number];
export type DefectCounts = Record<Defect, number>;

/**
 * One defective record. `ms` counts since the epoch; not a number where it has no timestamp.
 */
export interface Example {
  readonly defect: Defect;
  readonly assetId: string;
  readonly metricName: string;
  readonly ms: number;
  readonly expected?: number;
  readonly found?: number;
  /** Where a planned record was found with another timestamp. */
  readonly foundMs?: number;
}

/** Defects of one asset and metric. */
export interface SeriesFindings {
  readonly assetId: string;
  readonly metricName: string;
  readonly counts: DefectCounts;
}

/** Findings of one shard, or of several added up. Plain data: it crosses the thread boundary. */
export interface Findings {
  expected: number;
  found: number;
  /** Of those found: records that buckets have shown to be there, which are not read one by one. */
  inBuckets: number;
  /** By asset and metric. */
  readonly series: Map<string, SeriesFindings>;
  readonly examples: Example[];
  /** See {@link addToFingerprint}. */
  readonly fingerprint: [number, number];
}

/** The first few of each kind are enough to see what happened. */
const EXAMPLES_OF_ONE_KIND = 3;
const EXAMPLES_KEPT = 20;

function noDefects(): DefectCounts {
  return { missing: 0, doubled: 0, different: 0, foreign: 0 };
}

export function noFindings(): Findings {
  return { expected: 0, found: 0, inBuckets: 0, series: new Map(), examples: [], fingerprint: [0, 0] };
}

/** Adds `more` to `total`. */
export function addFindings(total: Findings, more: Findings): void {
  total.expected += more.expected;
  total.found += more.found;
  total.inBuckets += more.inBuckets;
  for (const { assetId, metricName, counts } of more.series.values()) {
    const known = countsOf(total, assetId, metricName);
    for (const defect of DEFECTS) known[defect] += counts[defect];
  }
  for (const example of more.examples) keepExample(total, example);
  add(total.fingerprint, ...more.fingerprint);
}

/** Notes a defective record, or `count` of them like it. */
export function note(findings: Findings, example: Example, count = 1): void {
  countsOf(findings, example.assetId, example.metricName)[example.defect] += count;
  keepExample(findings, example);
}

function countsOf({ series }: Findings, assetId: string, metricName: string): DefectCounts {
  const key = seriesKey(assetId, metricName);
  const known = series.get(key);
  if (known) return known.counts;
  const counts = noDefects();
  series.set(key, { assetId, metricName, counts });
  return counts;
}

function keepExample({ examples }: Findings, example: Example): void {
  if (examples.length >= EXAMPLES_KEPT) return;
  const alike = examples.filter(
    ({ defect, assetId, metricName }) =>
      defect === example.defect && assetId === example.assetId && metricName === example.metricName,
  );
  if (alike.length < EXAMPLES_OF_ONE_KIND) examples.push(example);
}

/** Defects over all series. */
export function defectCounts(findings: Findings): DefectCounts {
  const totals = noDefects();
  for (const { counts } of findings.series.values()) {
    for (const defect of DEFECTS) totals[defect] += counts[defect];
  }
  return totals;
}

/**
 * Adds a record to a fingerprint: a sum, modulo 2^32 twice, of a hash of each record. A sum does
 * not depend on the order, so the fingerprint is the same for every layout, number of workers and
 * way of loading. Not cryptographic: it tells datasets apart, it does not protect them.
 * @param tick of the record's time
 * @param high the upper half of the value's bits, `low` the lower one
 */
export function addToFingerprint(
  fingerprint: [number, number],
  seriesHash: number,
  tick: number,
  high: number,
  low: number,
): void {
  let a = Math.imul(seriesHash ^ tick, 0x85ebca6b);
  a = Math.imul((a ^ (a >>> 15)) + high, 0xc2b2ae35);
  a = Math.imul((a ^ (a >>> 13)) + low, 0x9e3779b1);
  a ^= a >>> 16;
  let b = Math.imul(a + seriesHash, 0x27d4eb2f);
  b = Math.imul((b ^ (b >>> 15)) + tick, 0x165667b1);
  b ^= b >>> 14;
  add(fingerprint, a, b);
}

function add(fingerprint: [number, number], a: number, b: number): void {
  fingerprint[0] = (fingerprint[0] + a) >>> 0;
  fingerprint[1] = (fingerprint[1] + b) >>> 0;
}

/** The fingerprint as sixteen hexadecimal digits. */
export function fingerprintText([a, b]: readonly [number, number]): string {
  return a.toString(16).padStart(8, '0') + b.toString(16).padStart(8, '0');
}
