/**
 * A fleet of many sites: the same assets under names of their own, with random numbers of their
 * own.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SECTIONS } from '../../src/config/settings.js';
import { buildFleet } from '../../src/fleet/build.js';
import { DEFAULT_FILE, DEFAULT_FLEET } from '../../src/fleet/default.js';
import { fleetFingerprint } from '../../src/fleet/fingerprint.js';
import type { Asset, Fleet } from '../../src/fleet/types.js';
import { sampledSeries, TelemetryModel } from '../../src/model/telemetry-model.js';
import { loadedAssets, planLoad } from '../../src/plan/plan.js';

const sites = (scale: number): Fleet => buildFleet({ file: DEFAULT_FILE, scale, timezone: 'UTC' });
const allOf = ({ machines, services, jobs }: Fleet): Asset[] => [...machines, ...services, ...jobs];

test('every site has all assets, and no id is there twice', () => {
  const fleet = sites(30);
  const ids = allOf(fleet).map(({ assetId }) => assetId);
  assert.equal(ids.length, 30 * 34);
  assert.equal(new Set(ids).size, ids.length);
  assert.equal(new Set(fleet.machines.map(({ hostname }) => hostname)).size, fleet.machines.length);
});

test('what an asset says of another one is said of the one at its own site', () => {
  const fleet = sites(3);
  const ids = new Set(allOf(fleet).map(({ assetId }) => assetId));
  const site = (id: string) => id.slice(0, 'site-00001'.length);
  for (const service of fleet.services) {
    assert.equal(site(service.hostId), site(service.assetId));
    assert.equal(service.data.parent_asset_id, service.hostId);
    assert.ok(ids.has(service.hostId));
  }
  for (const job of fleet.jobs) {
    assert.deepEqual(job.data.target_assets, job.targets);
    for (const target of job.targets) assert.ok(ids.has(target) && site(target) === site(job.assetId));
  }
  for (const { assetId, data } of fleet.machines) {
    if (data.hypervisor !== undefined) assert.equal(data.hypervisor, `${site(assetId)}-pve-node-01`);
  }
});

test('a site does not depend on how many others there are', () => {
  assert.deepEqual(
    allOf(sites(2)).filter(({ assetId }) => assetId.startsWith('site-00001')),
    allOf(sites(1000)).filter(({ assetId }) => assetId.startsWith('site-00001')),
  );
});

test('the same machine at two sites has other values', () => {
  const fleet = sites(5);
  const model = new TelemetryModel(fleet, 7);
  const day = (index: number) => {
    const asset = loadedAssets(fleet)[index];
    const columns = sampledSeries(asset).map(() => new Float64Array(1440));
    model.fillDay(asset, 20_000, columns);
    return columns;
  };
  const machines = DEFAULT_FLEET.machines.length;
  fc.assert(
    fc.property(fc.nat(machines - 1), fc.integer({ min: 1, max: 4 }), (machine, site) => {
      const [here, there] = [day(machine), day(site * machines + machine)];
      let equal = 0;
      for (let minute = 0; minute < 1440; minute++) if (here[0][minute] === there[0][minute]) equal++;
      // Values have two decimals, so some meet by chance.
      assert.ok(equal < 200, `${equal} of 1440 values are equal`);
    }),
    { numRuns: 20 },
  );
});

test('records are those of one site times their number', () => {
  const window = { start: 29_000_160, end: 29_000_160 + 1440 };
  const one = planLoad(DEFAULT_FLEET, window, SECTIONS, 7);
  assert.equal(planLoad(sites(40), window, SECTIONS, 7).records, 40 * one.records);
});

test('fingerprints tell scales and time zones apart, and one site in UTC is the fleet itself', () => {
  const of = (scale: number, timezone: string) =>
    fleetFingerprint(buildFleet({ file: DEFAULT_FILE, scale, timezone }));
  assert.equal(of(1, 'UTC'), fleetFingerprint(DEFAULT_FLEET));
  assert.equal(
    new Set([of(1, 'UTC'), of(2, 'UTC'), of(3, 'UTC'), of(1, 'Europe/Rome'), of(2, 'Europe/Rome')]).size,
    5,
  );
});
