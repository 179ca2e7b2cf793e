/** What tests of pictures share. */
import assert from 'node:assert/strict';
import type { DatasetPicture } from '../../src/picture/picture.js';

/** The data that a page carries. */
export function pictureOf(page: string): DatasetPicture {
  const [, json] = /<script type="application\/json" id="picture">(.*?)<\/script>/s.exec(page) ?? [];
  assert.ok(json, 'the page has no data');
  return JSON.parse(json);
}

/** Fails unless two numbers are equal as far as a picture shows them: to three decimals. */
export function assertClose(
  actual: number | null,
  expected: number | null,
  what: string,
  tolerance = 0.0011,
): void {
  if (actual === null || expected === null) {
    assert.equal(actual, expected, what);
    return;
  }
  assert.ok(Math.abs(actual - expected) <= tolerance, `${what}: ${actual}, not ${expected}`);
}
