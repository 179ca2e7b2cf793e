/**
 * Values depend on seed, asset, series and minute, and on nothing else; and they stay what they
 * are.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { DEFAULT_FLEET } from '../../src/fleet/default.js';
import { fleetFingerprint } from '../../src/fleet/fingerprint.js';
import { MODEL_VERSION, sampledSeries, TelemetryModel } from '../../src/model/telemetry-model.js';
import { loadedAssets } from '../../src/plan/plan.js';

const MINUTES = 1440;
const assets = loadedAssets(DEFAULT_FLEET);

function fill(
  model: TelemetryModel,
  assetIndex: number,
  day: number,
  wanted?: readonly boolean[],
): Float64Array[] {
  const asset = assets[assetIndex];
  const columns = sampledSeries(asset).map((_, i) =>
    wanted?.[i] === false ? undefined : new Float64Array(MINUTES),
  );
  model.fillDay(asset, day, columns);
  return columns.map((column) => column ?? new Float64Array(0));
}

const anyAsset = fc.integer({ min: 0, max: assets.length - 1 });
const anyDay = fc.integer({ min: 0, max: 40_000 });
const anySeed = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });

test('a day is the same whatever was generated before it', () => {
  const used = new TelemetryModel(DEFAULT_FLEET, 7);
  fc.assert(
    fc.property(anyAsset, anyDay, anyAsset, anyDay, (asset, day, otherAsset, otherDay) => {
      fill(used, otherAsset, otherDay);
      assert.deepEqual(fill(used, asset, day), fill(new TelemetryModel(DEFAULT_FLEET, 7), asset, day));
    }),
    { numRuns: 60 },
  );
});

test('a series does not change when others are left out', () => {
  const wanted = fc.array(fc.boolean(), { minLength: 5, maxLength: 5 });
  fc.assert(
    fc.property(anySeed, anyAsset, anyDay, wanted, (seed, asset, day, chosen) => {
      const model = new TelemetryModel(DEFAULT_FLEET, seed);
      const all = fill(model, asset, day);
      const some = fill(model, asset, day, chosen);
      for (const [i, column] of some.entries()) if (chosen[i]) assert.deepEqual(column, all[i]);
    }),
    { numRuns: 60 },
  );
});

test('seeds, assets and days differ', () => {
  fc.assert(
    fc.property(anySeed, anyDay, (seed, day) => {
      const response = (s: number, asset: number, d: number) =>
        fill(new TelemetryModel(DEFAULT_FLEET, s), asset, d).at(-1)?.slice(0, 600).toString();
      const one = response(seed, 0, day);
      assert.notEqual(one, response(seed + 1, 0, day));
      assert.notEqual(one, response(seed, 9, day));
      assert.notEqual(one, response(seed, 0, day + 1));
    }),
    { numRuns: 30 },
  );
});

test('the model of this version gives these values: a change needs a new MODEL_VERSION', () => {
  const hash = createHash('sha256');
  const model = new TelemetryModel(DEFAULT_FLEET, 42);
  // Ten days hold both kinds of day, a restart of the leak and a change of week.
  for (let day = 20_120; day < 20_130; day++) {
    for (let asset = 0; asset < assets.length; asset++)
      for (const column of fill(model, asset, day)) hash.update(column);
    for (const machine of DEFAULT_FLEET.machines) {
      const [{ minute, success }] = model.backups(machine, day * 1440, (day + 1) * 1440);
      hash.update(`${minute - day * 1440}${success}`);
    }
  }
  assert.equal(MODEL_VERSION, 1);
  assert.equal(hash.digest('hex').slice(0, 32), '5aac1681755b3354ab619262da57783e');
});

test('the fleet has 10 machines, 22 services, 2 jobs, and hosts and targets that exist', () => {
  const { machines, services, jobs } = DEFAULT_FLEET;
  assert.deepEqual([machines.length, services.length, jobs.length], [10, 22, 2]);
  const ids = new Set(machines.map(({ assetId }) => assetId));
  for (const { hostId } of services) assert.ok(ids.has(hostId));
  for (const { targets } of jobs) for (const target of targets) assert.ok(ids.has(target));
  assert.equal(new Set([...machines, ...services, ...jobs].map(({ assetId }) => assetId)).size, 34);
});

test('the fingerprint of a fleet changes with any part of it, and not with the order of fields', () => {
  const [first, ...rest] = DEFAULT_FLEET.machines;
  const reversed = Object.fromEntries(Object.entries(first).reverse()) as unknown as typeof first;
  const same = { ...DEFAULT_FLEET, machines: [reversed, ...rest] };
  const other = { ...DEFAULT_FLEET, machines: [{ ...first, hostname: 'OTHER' }, ...rest] };
  assert.equal(fleetFingerprint(same), fleetFingerprint(DEFAULT_FLEET));
  assert.notEqual(fleetFingerprint(other), fleetFingerprint(DEFAULT_FLEET));
});
