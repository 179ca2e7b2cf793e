/**
 * Servers return records of one minute in any order: what is wrong with them does not depend on it.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BSON } from 'mongodb';
import {
  BatchBuffer,
  buildTemplate,
  type Series,
  seriesIdPrefix,
  timeseriesDocument,
} from '../../src/encode/document.js';
import { Batch } from '../../src/encode/insert.js';
import { regularSampling } from '../../src/model/sampling.js';
import { Comparison } from '../../src/verify/comparison.js';
import { defectCounts, fingerprintText, noFindings } from '../../src/verify/findings.js';

const SERIES: Series = {
  assetId: 'vm-101',
  assetType: 'vm',
  metricName: 'cpu_usage',
  unit: 'percentage',
  section: 'metrics',
  environment: 'lab',
  idPrefix: seriesIdPrefix(42, 'vm-101', 'cpu_usage'),
  sampling: regularSampling(60),
};
const PLANNED: readonly Stored[] = [
  [0, 1],
  [1, 2],
  [2, 3],
  [3, 4],
];

/** Minute and value of a document. */
type Stored = readonly [minute: number, value: number];

/** What a comparison of the planned records with these, in this order, finds. */
function found(...stored: readonly Stored[]) {
  const findings = noFindings();
  const batch = new Batch(
    'timeseries',
    SERIES,
    buildTemplate('timeseries', SERIES),
    Int32Array.from(PLANNED, ([minute]) => minute),
    Float64Array.from(PLANNED, ([, value]) => value),
    new BatchBuffer(0),
  );
  const comparison = new Comparison('timeseries', SERIES, batch, findings);
  for (const [minute, value] of stored) {
    const bytes = Buffer.from(BSON.serialize(timeseriesDocument(SERIES, minute, value)));
    comparison.add(bytes, 0, bytes.length);
  }
  comparison.end();
  return {
    counts: defectCounts(findings),
    examples: findings.examples.map(({ defect, ms, found }) => [defect, ms / 60_000, found]),
    positions: comparison.different,
    fingerprint: fingerprintText(findings.fingerprint),
  };
}

const NONE = { missing: 0, doubled: 0, different: 0, foreign: 0 };
const [zero, one, two, three] = PLANNED;

test('a record beside the planned one of its minute is one too many, whichever comes first', () => {
  for (const planned of PLANNED) {
    const beside: Stored = [planned[0], 9];
    const [before, after] = [
      PLANNED.filter(([m]) => m < planned[0]),
      PLANNED.filter(([m]) => m > planned[0]),
    ];
    const second = found(...before, planned, beside, ...after);
    assert.deepEqual(second.counts, { ...NONE, doubled: 1 });
    assert.deepEqual(second.examples, [['doubled', planned[0], 9]]);
    assert.deepEqual(second.positions, []);
    assert.deepEqual(found(...before, beside, planned, ...after), second);
  }
});

test('two in place of the planned one: one differs, and one is too many', () => {
  const { counts, positions } = found(zero, [1, 8], [1, 9], two, three);
  assert.deepEqual(counts, { ...NONE, different: 1, doubled: 1 });
  assert.deepEqual(positions, [1]);
});

test('one in place of the last one differs, and a gap before it is missing', () => {
  const { counts, positions } = found(zero, one, [3, 9]);
  assert.deepEqual(counts, { ...NONE, missing: 1, different: 1 });
  assert.deepEqual(positions, [3]);
});
