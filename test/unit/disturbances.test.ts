/** Disturbances of a fleet: what is counted is what comes out, however a period is cut. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SeriesMemory } from '../../src/dataset/series.js';
import { ShardSource, type SourceOptions } from '../../src/dataset/source.js';
import { BatchBuffer } from '../../src/encode/document.js';
import { SeedError } from '../../src/errors.js';
import { buildFleet } from '../../src/fleet/build.js';
import type { DisturbanceEntry, FleetFile } from '../../src/fleet/file.js';
import { checkFleet } from '../../src/fleet/read.js';
import { DISTURBANCE_KINDS } from '../../src/fleet/types.js';
import { TelemetryModel } from '../../src/model/telemetry-model.js';
import { planLoad } from '../../src/plan/plan.js';
import { datasetOver } from '../support/loading.js';

const FIRST = 28_984_320;
const DAY = 1440;
const isoOf = (minute: number) => new Date(minute * 60_000).toISOString().replace(':00.000Z', 'Z');

const instant = fc.integer({ min: FIRST - DAY, max: FIRST + 4 * DAY });
const metrics = fc.option(fc.subarray(['cpu_usage', 'response_time_ms', 'own'], { minLength: 1 }), {
  nil: undefined,
});

/** Any disturbance that a file may have. */
const disturbance: fc.Arbitrary<DisturbanceEntry> = fc
  .record({
    kind: fc.constantFrom(...DISTURBANCE_KINDS),
    metrics,
    start: instant,
    minutes: fc.integer({ min: 1, max: 1440 }),
    perDay: fc.option(fc.constantFrom(0.5, 1, 3), { nil: undefined }),
    by: fc.integer({ min: -50, max: 50 }),
    delay: fc.integer({ min: 1, max: 3000 }),
  })
  .map(({ kind, metrics: named, start, minutes, perDay, by, delay }) => ({
    kind,
    ...(named ? { metrics: named } : {}),
    ...(perDay === undefined ? { start: isoOf(start) } : { per_day: perDay }),
    minutes,
    ...(kind === 'spike' || kind === 'drift' || kind === 'level_shift' ? { by } : {}),
    ...(kind === 'late' ? { delay_minutes: delay } : {}),
  }));

const fleet = fc
  .record({
    disturbances: fc.array(disturbance, { maxLength: 6 }),
    interval: fc.constantFrom('10s', '1m', '15m'),
    life: fc.option(fc.tuple(instant, instant), { nil: undefined }),
    scale: fc.constantFrom(1, 2),
  })
  .map(({ disturbances, interval, life, scale }) => {
    const [from, until] = life ? [Math.min(...life), Math.max(...life) + 1] : [];
    const file: FleetFile = {
      machines: [
        {
          id: 'a',
          type: 'vm',
          hostname: 'a',
          pattern: 'volatile_load',
          interval,
          ...(from === undefined ? {} : { from: isoOf(from) }),
          ...(until === undefined ? {} : { until: isoOf(until) }),
          metrics: [{ name: 'own', unit: 'things', range: [0, 5], pattern: 'steady' }],
          services: [{ id: 'b', name: 'B', type: 'web', port: 1 }],
        },
      ],
      disturbances,
    };
    return buildFleet({ file: checkFleet(file, 'drawn'), scale, timezone: 'UTC' });
  });

/** By asset and metric: every record, as instant and value, in the order in which they come. */
function recordsOf(
  of: ReturnType<typeof buildFleet>,
  window: { start: number; end: number },
  shardDays: number,
  options: SourceOptions,
) {
  const dataset = datasetOver(window, { layout: 'timeseries' });
  const model = new TelemetryModel(of, dataset.seed);
  const memory = new SeriesMemory();
  const records = new Map<string, [number, number][]>();
  const plan = planLoad(of, window, dataset.sections, shardDays);
  let planned = 0;
  for (const shard of plan.shards) {
    let made = 0;
    for (const batch of new ShardSource(model, dataset, shard, 400, memory, options).batches(
      new BatchBuffer(0),
    )) {
      const key = `${shard.assetId} ${batch.series.metricName}`;
      const known = records.get(key) ?? [];
      for (const [i, value] of batch.values.entries()) known.push([batch.msAt(i), value]);
      records.set(key, known);
      made += batch.records;
    }
    assert.equal(made, shard.records, shard.id);
    planned += shard.records;
  }
  assert.equal(planned, plan.records);
  return records;
}

const inTime = (records: readonly [number, number][]) =>
  [...records].sort(([a, x], [b, y]) => a - b || x - y);

test('as many records as are planned; the same ones however the period is cut, and whatever their order', () => {
  fc.assert(
    fc.property(fleet, fc.nat(600), fc.integer({ min: 1, max: 2_500 }), (of, offset, length) => {
      const window = { start: FIRST + offset, end: FIRST + offset + length };
      const whole = recordsOf(of, window, 7, {});
      const byDay = recordsOf(of, window, 1, { byArrival: true });
      const merged = recordsOf(of, window, 1, { mergesDoubled: true });
      assert.deepEqual([...byDay.keys()].sort(), [...whole.keys()].sort());
      for (const [key, records] of whole) {
        assert.deepEqual(inTime(byDay.get(key) ?? []), inTime(records), key);
        // Merged, they come in the order of time.
        const read = merged.get(key) ?? [];
        assert.deepEqual(
          read.map(([ms]) => ms),
          inTime(records).map(([ms]) => ms),
        );
        assert.deepEqual(inTime(read), inTime(records), key);
      }
    }),
    { numRuns: 60 },
  );
});

test('what is not disturbed is as it always was', () => {
  const window = { start: FIRST, end: FIRST + DAY };
  const machine = { id: 'a', type: 'vm', hostname: 'a', pattern: 'volatile_load' } as const;
  const build = (disturbances: DisturbanceEntry[]) =>
    buildFleet({ file: { machines: [machine], disturbances }, scale: 1, timezone: 'UTC' });
  const usual = recordsOf(build([]), window, 1, {});
  const spiked = recordsOf(
    build([{ kind: 'spike', metrics: ['cpu_usage'], start: isoOf(FIRST + 60), minutes: 2, by: 7.5 }]),
    window,
    1,
    {},
  );
  for (const [key, records] of usual) {
    const differing = records.flatMap(([ms, value], i) => {
      const [, other = Number.NaN] = spiked.get(key)?.[i] ?? [];
      return other === value ? [] : [[ms / 60_000 - FIRST, Math.round((other - value) * 100) / 100]];
    });
    assert.deepEqual(
      differing,
      key === 'a cpu_usage'
        ? [
            [60, 7.5],
            [61, 7.5],
          ]
        : [],
    );
  }
});

test('mistakes are named by field', () => {
  const start = '2025-02-08';
  for (const [entry, message] of [
    [{ kind: 'hiccup', start, minutes: 1 }, /kind "hiccup" must be one of gap, flatline/],
    [{ kind: 'gap' }, /start must be there, or per_day/],
    [{ kind: 'gap', start, per_day: 1, minutes: 1 }, /start must be there, or per_day, and not both/],
    [{ kind: 'gap', start }, /end must be there, or minutes/],
    [{ kind: 'gap', start, end: '2025-02-07' }, /end must be after start/],
    [{ kind: 'gap', start, end: '2025-02-09', minutes: 5 }, /end and minutes exclude each other/],
    [{ kind: 'gap', start: 'today', minutes: 5 }, /start "today" must be a date or a whole minute/],
    [{ kind: 'gap', per_day: 1 }, /minutes must be there beside per_day/],
    [{ kind: 'gap', per_day: 1, minutes: 2_000 }, /minutes must be at most 1440/],
    [{ kind: 'gap', start, minutes: 5, by: 3 }, /by has no meaning for gap/],
    [{ kind: 'spike', start, minutes: 5 }, /by must be there/],
    [{ kind: 'late', start, minutes: 5 }, /delay_minutes must be there/],
    [{ kind: 'gap', start, minutes: 5, delay_minutes: 1 }, /delay_minutes has no meaning for gap/],
    [{ kind: 'gap', start, minutes: 5, assets: ['vm-11'] }, /"vm-11" is no machine .*did you mean vm-1\?/],
    [{ kind: 'gap', start, minutes: 5, metrics: ['cpu'] }, /"cpu" is no metric of the fleet/],
    [{ kind: 'spike', start, minutes: 5, by: 1, metrics: ['availability_status'] }, /is a state/],
    [{ kind: 'gap', start, minutes: 5, lenght: 5 }, /lenght is no field/],
  ] as const) {
    const machines = [{ id: 'vm-1', type: 'vm', hostname: 'a', pattern: 'volatile_load' }];
    assert.throws(
      () => checkFleet({ machines, disturbances: [entry] }, 'mine.yaml'),
      (error) => {
        assert.ok(error instanceof SeedError, String(error));
        assert.match(`${error.message}\n${(error.details ?? []).join('\n')}`, message);
        assert.match(error.message, /disturbances\[0\]/);
        return true;
      },
    );
  }
  const gone = [
    {
      id: 'vm-1',
      type: 'vm',
      hostname: 'a',
      pattern: 'volatile_load',
      from: '2025-02-02',
      until: '2025-02-01',
    },
  ];
  assert.throws(() => checkFleet({ machines: gone }, 'mine.yaml'), /machines\[0\]\.until must be after from/);
});
