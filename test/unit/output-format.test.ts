/** Numbers and times in words, and the room that text takes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  bytes,
  clock,
  columns,
  count,
  duration,
  localTime,
  percent,
  period,
  span,
  tree,
} from '../../src/output/format.js';
import { failureLines } from '../../src/output/screen.js';
import { cut, firstThatFits, oneLine, widthOf, wrap } from '../../src/output/width.js';

test('counts are grouped by thousands', () => {
  assert.deepEqual([0, 999, 1000, 1_895_180, 12_345.6].map(count), [
    '0',
    '999',
    '1,000',
    '1,895,180',
    '12,346',
  ]);
});

test('durations keep two units and carry over', () => {
  const cases: [number, string][] = [
    [0, '0ms'],
    [999, '999ms'],
    [999.6, '1.0s'],
    [4738, '4.7s'],
    [9_949, '9.9s'],
    [9_960, '10s'],
    [59_600, '1m 00s'],
    [154_000, '2m 34s'],
    [3_599_700, '1h 00m'],
    [3_720_000, '1h 02m'],
    [86_399_000, '1d 00h'],
    [273_600_000, '3d 04h'],
  ];
  for (const [ms, text] of cases) assert.equal(duration(ms), text, `${ms} ms`);
});

test('sizes are decimal and never show four digits', () => {
  const cases: [number, string][] = [
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1.0 kB'],
    [999_960, '1.0 MB'],
    [45_200_000, '45.2 MB'],
    [2.5e12, '2.5 TB'],
  ];
  for (const [size, text] of cases) assert.equal(bytes(size), text);
});

test('a share is 100 only when nothing is missing', () => {
  assert.equal(percent(1_895_179, 1_895_180), '99');
  assert.equal(percent(1_895_179, 1_895_180, 2), '99.99');
  assert.equal(percent(57, 100), '57');
  assert.equal(percent(1000, 604_800, 2), '0.16');
  assert.equal(percent(0, 0), '100');
  assert.equal(percent(5, 4), '100');
});

test('windows: whole days as dates, others with their times', () => {
  assert.deepEqual([14, 1, 1 / 24, 1.5, 90 / 1440].map(span), [
    '14 days',
    '1 day',
    '1 hour',
    '36 hours',
    '90 minutes',
  ]);
  const whole = { start: new Date('2025-01-26T00:00Z'), end: new Date('2025-02-09T00:00Z') };
  assert.equal(period(whole), '2025-01-26 → 2025-02-09 UTC');
  assert.equal(
    period({ ...whole, end: new Date('2025-02-09T10:31Z') }),
    '2025-01-26 00:00 → 2025-02-09 10:31 UTC',
  );
});

test('an end today is a time, one on another day has its date', () => {
  const now = new Date(2025, 1, 9, 23, 59, 0);
  assert.equal(localTime(now), '2025-02-09 23:59:00');
  assert.equal(clock(new Date(now.getTime() + 30_000), now), '23:59:30');
  assert.equal(clock(new Date(now.getTime() + 90_000), now), '2025-02-10 00:00');
});

test('a message is one line without control codes', () => {
  assert.equal(oneLine(' a\r\n  b\u001b[31mc\u0007\u009b2J '), 'a b [31mc 2J');
});

test('width counts cells, not characters', () => {
  assert.equal(widthOf('abc'), 3);
  assert.equal(widthOf('│ ├── █░'), 8);
  assert.equal(widthOf('🚀 go'), 5);
  assert.equal(widthOf('数据库'), 6);
  assert.equal(widthOf('e\u0301'), 1);
});

test('cutting keeps to the width, wide characters included', () => {
  assert.equal(cut('abcdef', 6), 'abcdef');
  assert.equal(cut('abcdef', 5), 'abcd…');
  assert.equal(cut('数据库服务', 6), '数据…');
  assert.equal(cut('abc', 0), '');
  assert.equal(firstThatFits(4, ['abcdef', 'abcd', 'ab']), 'abcd');
  assert.equal(firstThatFits(1, ['abcdef', 'ab']), '…');
});

test('wrapping breaks between words, and keeps a wide word whole', () => {
  assert.deepEqual(wrap('one two three', 7), ['one two', 'three']);
  assert.deepEqual(wrap('/a/very/long/path in it', 6), ['/a/very/long/path', 'in it']);
  assert.deepEqual(wrap('one two', Number.POSITIVE_INFINITY), ['one two']);
  assert.deepEqual(wrap('', 5), ['']);
});

test('a failure is two lines, and more only where a terminal would break them', () => {
  const failure = { message: 'it\nbroke here', remedy: 'mend it with care' };
  assert.deepEqual(failureLines(failure), ['❌ it broke here', '   └── mend it with care']);
  assert.deepEqual(failureLines(failure, 17), ['❌ it broke here', '   └── mend it', '       with care']);
  assert.deepEqual(failureLines({ ...failure, remedy: '' }), ['❌ it broke here']);
});

test('a tree closes each level with its last branch', () => {
  assert.deepEqual(tree(['a', ['b', ['c', ['d', ['e']]]], ['f', ['g']]]), [
    '   ├── a',
    '   ├── b',
    '   │   ├── c',
    '   │   └── d',
    '   │       └── e',
    '   └── f',
    '       └── g',
  ]);
  assert.deepEqual(
    columns([
      ['vm', '5'],
      ['container', '12'],
    ]),
    ['vm          5', 'container  12'],
  );
});
