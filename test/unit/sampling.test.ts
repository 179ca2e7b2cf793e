/** Samples at other intervals than a minute: the same values at shared minutes, all over the model. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ShardSource } from '../../src/dataset/source.js';
import { BatchBuffer } from '../../src/encode/document.js';
import { buildFleet } from '../../src/fleet/build.js';
import { DEFAULT_FILE } from '../../src/fleet/default.js';
import type { Fleet, MetricPatternName } from '../../src/fleet/types.js';
import {
  firstTick,
  msOfTick,
  regularSampling,
  sampleCount,
  tickOfMinute,
  tickOfMs,
} from '../../src/model/sampling.js';
import { TelemetryModel } from '../../src/model/telemetry-model.js';
import { planLoad } from '../../src/plan/plan.js';
import { INTERVALS, type Interval, intervalSeconds } from '../../src/time.js';
import { datasetOver } from '../support/loading.js';

const OWN = (['follows_cpu', 'steady', 'fills_weekly'] as const).map((pattern: MetricPatternName, i) => ({
  name: `own_${i}`,
  unit: 'things',
  range: [-3, 7 * 10 ** i] as const,
  pattern,
}));
const FILE = {
  ...DEFAULT_FILE,
  machines: DEFAULT_FILE.machines.map((machine) => ({ ...machine, metrics: OWN })),
};
const fleetAt = (interval: Interval, jitterMs = 0): Fleet =>
  buildFleet({ file: FILE, scale: 1, timezone: 'Europe/Rome', interval, jitterMs });
const FLEETS = new Map(INTERVALS.map((interval) => [interval, fleetAt(interval)]));

const interval = fc.constantFrom(...INTERVALS);
/** Around a change of clocks, so that days of 23 and 25 hours are among them. */
const start = fc.integer({ min: 29_040_000, max: 29_060_000 });

/** By metric: the samples of one asset, by milliseconds since the epoch. */
function samplesOf(fleet: Fleet, from: number, to: number, assetIndex: number) {
  const window = { start: from, end: to };
  const dataset = datasetOver(window);
  const model = new TelemetryModel(fleet, dataset.seed);
  const samples = new Map<string, Map<number, number>>();
  let records = 0;
  let planned = 0;
  for (const shard of planLoad(fleet, window, dataset.sections, 1).shards) {
    if (shard.assetIndex !== assetIndex) continue;
    planned += shard.records;
    for (const batch of new ShardSource(model, dataset, shard, 700).batches(new BatchBuffer(0))) {
      const known = samples.get(batch.series.metricName) ?? new Map<number, number>();
      for (const [i, value] of batch.values.entries()) known.set(batch.msAt(i), value);
      samples.set(batch.series.metricName, known);
      records += batch.records;
    }
  }
  assert.equal(records, planned);
  return samples;
}

function leastCommonMultiple(a: number, b: number): number {
  let multiple = a;
  while (multiple % b !== 0) multiple += a;
  return multiple;
}

test('instants that two intervals share have the same values, whatever the metric', () => {
  fc.assert(
    fc.property(
      interval,
      interval,
      start,
      fc.integer({ min: 1, max: 1_800 }),
      fc.nat(31),
      (a, b, from, length, asset) => {
        const [one, other] = [a, b].map((each) =>
          samplesOf(FLEETS.get(each) as Fleet, from, from + length, asset),
        );
        const shared = leastCommonMultiple(intervalSeconds(a), intervalSeconds(b)) * 1000;
        for (const [metricName, samples] of one) {
          for (const [ms, value] of samples) {
            if (ms % shared !== 0) continue;
            assert.equal(other.get(metricName)?.get(ms), value, `${metricName} at ${ms}`);
          }
        }
      },
    ),
    { numRuns: 60 },
  );
});

test('between two minutes a load wanders within its range; a state lasts', () => {
  for (const assetIndex of [0, 3, 9, 12]) {
    const samples = samplesOf(FLEETS.get('1s') as Fleet, 29_050_000, 29_050_120, assetIndex);
    for (const [metricName, series] of samples) {
      const own = OWN.find(({ name }) => name === metricName);
      const [min, max] = own?.range ?? [0, metricName === 'response_time_ms' ? 30_000 : 100];
      let moved = 0;
      for (const [ms, value] of series) {
        assert.ok(value >= min && value <= max, `${metricName} ${value}`);
        const minute = series.get(ms - (ms % 60_000));
        if (metricName === 'availability_status') assert.equal(value, minute);
        else if (value !== minute) moved++;
      }
      if (metricName !== 'availability_status' && metricName !== 'backup_status')
        assert.ok(moved > series.size / 2, `${metricName} moved ${moved} of ${series.size}`);
    }
  }
});

test('there are as many samples as are counted', () => {
  fc.assert(
    fc.property(interval, start, fc.nat(3_000), (each, from, length) => {
      const sampling = regularSampling(intervalSeconds(each));
      const first = firstTick(sampling, from);
      const end = tickOfMinute(sampling, from + length);
      assert.equal(
        sampleCount(intervalSeconds(each), from, from + length),
        Math.max(0, Math.ceil((end - first) / sampling.step)),
      );
    }),
  );
});

test('jitter moves a sample by less than it may, the same way again, and all metrics of an asset alike', () => {
  for (const each of ['1s', '10s', '1m', '1h'] as const) {
    const jitterMs = Math.min(59_999, intervalSeconds(each) * 1000 - 1);
    const period = [29_050_000, 29_050_400] as const;
    const still = samplesOf(FLEETS.get(each) as Fleet, ...period, 1);
    const moved = samplesOf(fleetAt(each, jitterMs), ...period, 1);
    const [first] = [...moved.values()];
    const offsets = new Set<number>();
    for (const [metricName, series] of moved) {
      if (metricName === 'backup_status') continue;
      assert.deepEqual([...series.keys()], [...first.keys()]);
      assert.deepEqual([...series.values()], [...(still.get(metricName)?.values() ?? [])]);
      const times = [...(still.get(metricName)?.keys() ?? [])];
      for (const [i, ms] of [...series.keys()].entries()) {
        offsets.add(ms - times[i]);
        assert.ok(ms >= times[i] && ms <= times[i] + jitterMs);
      }
    }
    assert.ok(offsets.size > Math.min(5, first.size / 2), `${offsets.size} offsets`);
    assert.deepEqual(samplesOf(fleetAt(each, jitterMs), ...period, 1), moved);
  }
});

test('the instant of a sample leads back to its tick', () => {
  fc.assert(
    fc.property(interval, fc.nat(59_998), fc.integer(), fc.nat(30_000), (each, most, jitterSeed, place) => {
      const seconds = intervalSeconds(each);
      const jitterMs = Math.min(most, seconds * 1000 - 1);
      const sampling = { ...regularSampling(seconds), jitterMs, jitterSeed };
      const tick = place * sampling.step;
      assert.equal(tickOfMs(sampling, msOfTick(sampling, tick)), tick);
    }),
  );
});
