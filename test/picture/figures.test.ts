/** The manual's figures: all patterns have some, they hold of the model over twelve weeks, and they can fail. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildFleet } from '../../src/fleet/build.js';
import { DEFAULT_FILE, DEFAULT_FLEET } from '../../src/fleet/default.js';
import type { MachineParametersEntry } from '../../src/fleet/file.js';
import { PATTERN_NAMES } from '../../src/fleet/types.js';
import { Buckets, bucketMinutes } from '../../src/picture/buckets.js';
import { figuresOf } from '../../src/picture/figures.js';
import { drawPicture, readModel } from '../../src/picture/index.js';
import { lasting, outagesOf } from '../../src/picture/lasting.js';
import { MANUAL_FIGURES } from '../../src/picture/manual-figures.js';

const DAY = 1440;
/** A Sunday. */
const START = 20_002 * DAY;

test('every pattern of the default fleet has figures, and all hold over twelve weeks', () => {
  const window = { start: START, end: START + 84 * DAY };
  const picture = drawPicture(readModel(DEFAULT_FLEET, 42, window));
  const patterns = new Set(picture.machines.map(({ pattern }) => pattern));
  assert.deepEqual([...patterns].sort(), [...PATTERN_NAMES].sort());
  for (const { assetId, figures } of picture.machines) {
    assert.ok(figures.length >= 3, assetId);
    for (const { what, measured, low, high, held } of figures)
      assert.ok(held, `${assetId}: ${what} is ${measured}, not in ${low} to ${high}`);
  }
  assert.ok(picture.figures.measured >= 30 && picture.figures.held === picture.figures.measured);
});

test('figures are not asked of a load that a fleet file changes, nor in another time zone', () => {
  const figures = (parameters: MachineParametersEntry, timezone = 'UTC') => {
    const [machine] = DEFAULT_FILE.machines;
    const file = { machines: [{ ...machine, parameters }] };
    const fleet = buildFleet({ file, scale: 1, timezone });
    const window = { start: START, end: START + 7 * DAY };
    return drawPicture(readModel(fleet, 42, window)).machines[0].figures.length;
  };
  assert.ok(figures({}) > 0);
  assert.equal(figures({ uptime: 99 }), figures({}));
  assert.equal(figures({ io: { scale: 0.5 } }), 0);
  assert.equal(figures({}, 'Asia/Tokyo'), 0);
});

test('a figure that does not hold, and one that cannot be measured, say so', () => {
  const weekday = (value: number) => {
    const buckets = new Buckets(START, START + 7 * DAY, 15);
    for (let minute = START + DAY; minute < START + 6 * DAY; minute++) buckets.add(minute, value);
    return new Map([['cpu_usage', buckets.byHourOfWeek()]]);
  };
  const office = (value: number) => figuresOf('cpu_spikes_business_hours', weekday(value))[0];
  assert.deepEqual([office(64.9).measured, office(64.9).held], [64.9, false]);
  assert.equal(office(65).held, true);
  // A weekend alone has no office hours.
  const empty = new Buckets(START, START + DAY, 15);
  empty.add(START + 600, 50);
  const [unmeasured] = figuresOf('cpu_spikes_business_hours', new Map([['cpu_usage', empty.byHourOfWeek()]]));
  assert.deepEqual([unmeasured.measured, unmeasured.held], [null, null]);
  assert.deepEqual(figuresOf(undefined, weekday(1)), []);
});

test('every figure is in the range that a measure of it can have', () => {
  for (const figure of Object.values(MANUAL_FIGURES).flat()) {
    assert.ok(figure.low < figure.high && figure.low >= 0 && figure.high <= 100, figure.what);
  }
});

test('buckets give the same sums however values come in, and know hours and weekdays', () => {
  const start = START + 10;
  const single = new Buckets(start, start + 3 * DAY, 15);
  const summed = new Buckets(start, start + 3 * DAY, 15);
  for (let minute = start; minute < start + 3 * DAY; minute++) {
    const value = (minute * 7919) % 101;
    single.add(minute, value);
    summed.addSums(minute, { count: 1, sum: value, squares: value ** 2, min: value, max: value });
  }
  assert.deepEqual(single.byHourOfWeek(), summed.byHourOfWeek());
  const table = single.byHourOfWeek();
  // From Sunday 00:10 to Wednesday 00:10.
  assert.deepEqual(
    table.map((row) => row.reduce((n, { count }) => n + count, 0)),
    [DAY - 10, DAY, DAY, 10, 0, 0, 0],
  );
  assert.equal(table[0][0].count, 50);
  assert.equal(single.between(start - 10, start + DAY - 10).count, DAY - 10);
  assert.equal(single.between(start + 4 * DAY, start + 5 * DAY).count, 0);
  assert.deepEqual(
    [14, 90, 180, 3650].map((days) => bucketMinutes(0, days * DAY)),
    [15, 15, 30, 60],
  );
});

test('stretches that touch are one outage, and lengths are told without seconds', () => {
  const stretches = [
    { from: 10, to: 30, state: 'down' },
    { from: 30, to: 34, state: 'degraded' },
    { from: 50, to: 51, state: 'down' },
  ] as const;
  assert.deepEqual(outagesOf(stretches), [
    { from: 10, to: 34, down: 20, degraded: 4 },
    { from: 50, to: 51, down: 1, degraded: 0 },
  ]);
  assert.deepEqual([0, 1, 53, 125, 1440].map(lasting), ['0', '1m', '53m', '2h 05m', '1d 00h']);
});
