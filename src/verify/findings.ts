/** What a comparison of a dataset with a database finds. */

/** `missing`: planned, not there. `doubled`: there more than once. `different`: there with other content. `foreign`: there, not planned. */
export const DEFECTS = ['missing', 'doubled', 'different', 'foreign'] as const;
export type Defect = (typeof DEFECTS)[number];

/** One defective record. Minutes are since the epoch. */
export interface Example {
  readonly defect: Defect;
  readonly assetId: string;
  readonly metricName: string;
  readonly minute: number;
  readonly expected?: number;
  readonly found?: number;
}

/** Defects of one asset and metric. */
export interface SeriesFindings {
  readonly assetId: string;
  readonly metricName: string;
  readonly counts: Record<Defect, number>;
}

/** Findings of one shard, or of several added up. Plain data: it crosses the thread boundary. */
export interface Findings {
  expected: number;
  found: number;
  readonly series: SeriesFindings[];
  readonly examples: Example[];
  /** See {@link addToFingerprint}. */
  readonly fingerprint: [number, number];
  repaired: number;
}

/** The first few are enough to see what happened. */
export const EXAMPLES_KEPT = 10;

export function noFindings(): Findings {
  return { expected: 0, found: 0, series: [], examples: [], fingerprint: [0, 0], repaired: 0 };
}

/** Adds `more` to `total`. */
export function addFindings(total: Findings, more: Findings): void {
  total.expected += more.expected;
  total.found += more.found;
  total.repaired += more.repaired;
  for (const one of more.series) {
    const known = total.series.find((s) => s.assetId === one.assetId && s.metricName === one.metricName);
    if (known) for (const defect of DEFECTS) known.counts[defect] += one.counts[defect];
    else total.series.push(one);
  }
  total.examples.push(...more.examples.slice(0, EXAMPLES_KEPT - total.examples.length));
  total.fingerprint[0] = (total.fingerprint[0] + more.fingerprint[0]) >>> 0;
  total.fingerprint[1] = (total.fingerprint[1] + more.fingerprint[1]) >>> 0;
}

/** Notes one defective record. */
export function note(findings: Findings, example: Example): void {
  const { assetId, metricName, defect } = example;
  let series = findings.series.find((s) => s.assetId === assetId && s.metricName === metricName);
  if (!series) {
    series = { assetId, metricName, counts: { missing: 0, doubled: 0, different: 0, foreign: 0 } };
    findings.series.push(series);
  }
  series.counts[defect]++;
  if (findings.examples.length < EXAMPLES_KEPT) findings.examples.push(example);
}

/** Defects over all series. */
export function defectCounts(findings: Findings): Record<Defect, number> {
  const totals = { missing: 0, doubled: 0, different: 0, foreign: 0 };
  for (const { counts } of findings.series) for (const defect of DEFECTS) totals[defect] += counts[defect];
  return totals;
}

const bits = new DataView(new ArrayBuffer(8));

/**
 * Adds a record to a fingerprint: a sum, modulo 2^32 twice, of a hash of each record. A sum does not depend on the order, so
 * the fingerprint is the same for every layout, number of workers and way of loading. Not cryptographic: it tells datasets apart,
 * it does not protect them.
 */
export function addToFingerprint(
  fingerprint: [number, number],
  seriesHash: number,
  minute: number,
  value: number,
): void {
  bits.setFloat64(0, value);
  const high = bits.getInt32(0);
  const low = bits.getInt32(4);
  let a = Math.imul(seriesHash ^ minute, 0x85ebca6b);
  a = Math.imul((a ^ (a >>> 15)) + high, 0xc2b2ae35);
  a = Math.imul((a ^ (a >>> 13)) + low, 0x9e3779b1);
  a ^= a >>> 16;
  let b = Math.imul(a + seriesHash, 0x27d4eb2f);
  b = Math.imul((b ^ (b >>> 15)) + minute, 0x165667b1);
  b ^= b >>> 14;
  fingerprint[0] = (fingerprint[0] + a) >>> 0;
  fingerprint[1] = (fingerprint[1] + b) >>> 0;
}

/** The fingerprint as sixteen hexadecimal digits. */
export function fingerprintText([a, b]: readonly [number, number]): string {
  return a.toString(16).padStart(8, '0') + b.toString(16).padStart(8, '0');
}
