/** Lines of CSV that hold what a fleet file may name, and that a spreadsheet opens as text. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Batch } from '../../src/encode/insert.js';
import { csvLines } from '../../src/export/formats.js';

function lineOf(unit: string, environment = 'test'): string {
  const series = { assetId: 'a', assetType: 'vm', metricName: 'm', unit, environment };
  return csvLines({ series, ticks: [0], values: [1.5], msAt: () => 0 } as unknown as Batch);
}

test('commas, quotes and line breaks are quoted', () => {
  assert.equal(lineOf('a,"b"\nc'), 'a,vm,m,1970-01-01T00:00:00Z,1.5,"a,""b""\nc",test\n');
});

test('what a spreadsheet would run as a formula is text; names and numbers stay as they are', () => {
  for (const formula of ['=1+1', '+cmd|x!A1', '@SUM(1)', '-2+3', '\t=1', '=HYPERLINK("http://x")'])
    assert.match(lineOf(formula), /,1\.5,"?'[=+@\t-]/, formula);
  assert.match(lineOf('percentage', '-prod'), /,percentage,-prod\n$/);
});
