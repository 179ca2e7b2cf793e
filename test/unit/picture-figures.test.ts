/**
 * Expected figures: all patterns have some, the model keeps to them over twelve weeks, and they can
 * fail.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildFleet } from '../../src/fleet/build.js';
import { DEFAULT_FILE, DEFAULT_FLEET } from '../../src/fleet/default.js';
import type { FleetFile } from '../../src/fleet/file.js';
import { PATTERN_NAMES } from '../../src/fleet/types.js';
import { LocalTime } from '../../src/model/local-time.js';
import { drawPicture, minutesText, outagesOf } from '../../src/picture/draw.js';
import { EXPECTED_FIGURES, figuresOf } from '../../src/picture/expected.js';
import { readModel } from '../../src/picture/from-model.js';
import { type AvailabilityPicture, scaleOf, shareOf } from '../../src/picture/picture.js';
import { Buckets, bucketMinutes, type ServiceReadings } from '../../src/picture/readings.js';

const DAY = 1440;
/** A Sunday. */
const START = 20_002 * DAY;
const UTC = new LocalTime('UTC');

test('every pattern of the default fleet has figures, and all are as expected over twelve weeks', () => {
  const window = { start: START, end: START + 84 * DAY };
  const picture = drawPicture(readModel(DEFAULT_FLEET, 42, window));
  const patterns = new Set(picture.machines.map(({ pattern }) => pattern));
  assert.deepEqual([...patterns].sort(), [...PATTERN_NAMES].sort());
  for (const { assetId, figures } of picture.machines) {
    assert.ok(figures.length >= 3, assetId);
    for (const { what, measured, low, high, within } of figures)
      assert.ok(within, `${assetId}: ${what} is ${measured}, not in ${low} to ${high}`);
  }
  assert.ok(picture.figures.measured >= 30 && picture.figures.within === picture.figures.measured);
});

test('figures are expected of the default fleet alone, by the clocks of its time zone', () => {
  const picture = (file: FleetFile, timezone: string) =>
    drawPicture(
      readModel(buildFleet({ file, scale: 1, timezone }), 42, { start: START, end: START + 14 * DAY }),
    );
  const tokyo = picture(DEFAULT_FILE, 'Asia/Tokyo');
  assert.equal(tokyo.zone, 'Asia/Tokyo');
  assert.ok(tokyo.figures.measured >= 30);
  assert.equal(tokyo.figures.within, tokyo.figures.measured);
  const own = picture({ machines: DEFAULT_FILE.machines.slice(0, 2) }, 'UTC');
  assert.equal(own.figures.measured, 0);
  for (const { figures, availability, backups } of own.machines) {
    assert.deepEqual([figures, availability?.expected, backups?.expected ?? null], [[], null, null]);
  }
});

test('hours and weekdays are those of the time zone, halves of hours and daylight saving included', () => {
  const start = START;
  const buckets = new Buckets(start, start + 7 * DAY, 15);
  buckets.add(start, 1);
  const cellOf = (zone: string) => {
    const table = buckets.byHourOfWeek(new LocalTime(zone));
    const day = table.findIndex((row) => row.some(({ count }) => count > 0));
    return [day, table[day].findIndex(({ count }) => count > 0)];
  };
  assert.deepEqual(['UTC', 'Asia/Kolkata', 'America/New_York'].map(cellOf), [
    [0, 0],
    [0, 5],
    [6, 20],
  ]);
});

test('all assets share one scale per metric, and every value is on it', () => {
  const picture = drawPicture(readModel(DEFAULT_FLEET, 42, { start: START, end: START + 7 * DAY }));
  const responses = [...picture.machines, ...picture.services].flatMap(
    ({ availability }) => availability?.response ?? [],
  );
  const metrics = [...picture.machines.flatMap((machine) => machine.metrics), ...responses];
  assert.equal(responses.length, 32);
  const scales = new Map<string, Set<string>>();
  for (const { metricName, scale, means, day, heat } of metrics) {
    scales.set(metricName, (scales.get(metricName) ?? new Set()).add(JSON.stringify(scale)));
    for (const value of [means, day, heat.flat()].flat()) {
      assert.ok(value === null || (value >= scale.from && value <= scale.to), `${metricName}: ${value}`);
    }
  }
  assert.deepEqual(
    [...scales].map(([name, all]) => [name, all.size]),
    ['cpu_usage', 'memory_usage', 'io_wait', 'response_time_ms'].map((name) => [name, 1]),
  );
});

test('scales end at round values, and logarithmic ones keep small values apart', () => {
  assert.deepEqual(scaleOf('cpu_usage', 'percentage', 3, 26), { from: 0, to: 50, logarithmic: false });
  assert.deepEqual(scaleOf('network', 'mbps', -3, 1234), { from: -5, to: 2000, logarithmic: false });
  const response = scaleOf('response_time_ms', 'milliseconds', 33, 7200);
  assert.deepEqual(response, { from: 20, to: 10_000, logarithmic: true });
  assert.ok(shareOf(66, response) > 0.15 && shareOf(30_000, response) === 1 && shareOf(1, response) === 0);
  const nothing = scaleOf('idle', 'mbps', 0, 0);
  assert.equal(shareOf(0, nothing), 0);
});

test('the timeline counts every incident of a long period, however many are listed one by one', () => {
  const window = { start: START - 400 * DAY, end: START };
  const incidents = Array.from({ length: 13_000 }, (_, i) => {
    const from = window.start + i * 44;
    return { from, to: from + 4, state: 'down' as const };
  });
  const down = incidents.length * 4;
  const service: ServiceReadings = {
    assetId: 's',
    name: 's',
    hostId: 'm',
    availability: {
      up: 400 * DAY - down,
      degraded: 0,
      down,
      incidents,
      response: undefined,
      timedOut: 0,
    },
  };
  const picture = drawPicture({
    source: { kind: 'model', seed: 1, modelVersion: 1 },
    window,
    zone: 'UTC',
    isDefaultFleet: false,
    counts: { machines: 0, services: 1 },
    machines: [],
    services: [service],
  });
  assert.equal(picture.omitted.incidents, 5000);
  const { outages, cells } = picture.services[0].availability as AvailabilityPicture;
  assert.equal(outages, incidents.length);
  assert.equal(picture.timeline.stepMinutes, 2 * DAY);
  assert.equal(cells.down.length, 200);
  assert.equal(
    cells.down.reduce((sum, minutes) => sum + minutes, 0),
    down,
  );
  // A tenth of the time down is a tenth of each cell.
  for (const minutes of cells.down.slice(0, 198)) assert.ok(Math.abs(minutes - 262) <= 4, `${minutes}`);
});

test('a figure that is outside its range, and one that cannot be measured, say so', () => {
  const weekday = (value: number) => {
    const buckets = new Buckets(START, START + 7 * DAY, 15);
    for (let minute = START + DAY; minute < START + 6 * DAY; minute++) buckets.add(minute, value);
    return new Map([['cpu_usage', buckets.byHourOfWeek(UTC)]]);
  };
  const office = (value: number) => figuresOf('cpu_spikes_business_hours', weekday(value))[0];
  assert.deepEqual([office(64.9).measured, office(64.9).within], [64.9, false]);
  assert.equal(office(65).within, true);
  // A weekend alone has no office hours.
  const empty = new Buckets(START, START + DAY, 15);
  empty.add(START + 600, 50);
  const [unmeasured] = figuresOf(
    'cpu_spikes_business_hours',
    new Map([['cpu_usage', empty.byHourOfWeek(UTC)]]),
  );
  assert.deepEqual([unmeasured.measured, unmeasured.within], [null, null]);
  assert.deepEqual(figuresOf(undefined, weekday(1)), []);
});

test('every figure is in the range that a measure of it can have', () => {
  for (const figure of Object.values(EXPECTED_FIGURES).flat()) {
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
  assert.deepEqual(single.byHourOfWeek(UTC), summed.byHourOfWeek(UTC));
  const table = single.byHourOfWeek(UTC);
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
  assert.deepEqual([0, 1, 53, 125, 1440].map(minutesText), ['0', '1m', '53m', '2h 05m', '1d 00h']);
});
