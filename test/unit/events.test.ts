/** Events are what availability shows: together its minutes below 100, each as bad as it is there. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { buildFleet } from '../../src/fleet/build.js';
import { DEFAULT_FILE, DEFAULT_FLEET } from '../../src/fleet/default.js';
import type { Fleet, Machine, Service } from '../../src/fleet/types.js';
import { eventsOf, type TrueEvent } from '../../src/model/events.js';
import { MINUTES_PER_DAY } from '../../src/model/local-time.js';
import { TelemetryModel } from '../../src/model/telemetry-model.js';

interface Window {
  readonly start: number;
  readonly end: number;
}

/** Availability minute by minute, as records have it. */
function recorded(model: TelemetryModel, asset: Machine | Service, { start, end }: Window): Float64Array {
  const states = new Float64Array(end - start);
  const day = new Float64Array(MINUTES_PER_DAY);
  const own = 'metrics' in asset ? (asset.metrics?.length ?? 0) : 0;
  const columns =
    asset.assetType === 'service'
      ? [day, undefined]
      : [...new Array(3 + own).fill(undefined), day, undefined];
  for (let at = start; at < end; ) {
    const number = Math.floor(at / MINUTES_PER_DAY);
    model.fillDay(asset, number, columns);
    const to = Math.min(end, (number + 1) * MINUTES_PER_DAY);
    states.set(day.subarray(at - number * MINUTES_PER_DAY, to - number * MINUTES_PER_DAY), at - start);
    at = to;
  }
  return states;
}

/** The same, made of events alone. */
function told(events: readonly TrueEvent[], { start, end }: Window): Float64Array {
  const states = new Float64Array(end - start).fill(100);
  for (const event of events) {
    if (event.kind === 'failed backup') continue;
    assert.ok(event.start >= start && event.end <= end && event.start < event.end);
    const worst = event.kind === 'down' ? 0 : 50;
    for (let minute = event.start; minute < event.end; minute++) {
      states[minute - start] = Math.min(states[minute - start], worst);
    }
  }
  return states;
}

function assertAgree(fleet: Fleet, seed: number, window: Window): TrueEvent[] {
  const model = new TelemetryModel(fleet, seed);
  const hosts = new Map(fleet.machines.map((machine) => [machine.assetId, machine]));
  return [...fleet.machines, ...fleet.services].flatMap((asset) => {
    const events = eventsOf(model, asset, hosts, window);
    assert.deepEqual(told(events, window), recorded(model, asset, window), asset.assetId);
    if (asset.assetType !== 'service') {
      const failed = model.backups(asset, window.start, window.end).filter(({ success }) => !success);
      assert.deepEqual(
        events.filter(({ kind }) => kind === 'failed backup').map(({ start }) => start),
        failed.map(({ minute }) => minute),
      );
    }
    return events;
  });
}

const FEBRUARY = 20_120 * MINUTES_PER_DAY;

test('sixty days of the default fleet: every cause is among them', () => {
  const events = assertAgree(DEFAULT_FLEET, 7, { start: FEBRUARY, end: FEBRUARY + 60 * MINUTES_PER_DAY });
  const causes = new Set(events.map((event) => ('cause' in event ? event.cause : event.kind)));
  assert.deepEqual([...causes].sort(), ['failed backup', 'fault', 'host', 'memory', 'planned', 'recovery']);
});

test('other zones, a change of clocks, windows that begin and end anywhere', () => {
  const zones = fc.constantFrom('Europe/Rome', 'America/New_York', 'Asia/Kathmandu', 'Pacific/Apia');
  fc.assert(
    fc.property(
      fc.nat(1e6),
      zones,
      fc.nat(200 * MINUTES_PER_DAY),
      fc.integer({ min: 1, max: 6000 }),
      (...drawn) => {
        const [seed, timezone, from, length] = drawn;
        const fleet = buildFleet({ file: DEFAULT_FILE, scale: 1, timezone });
        assertAgree(fleet, seed, { start: FEBRUARY + from, end: FEBRUARY + from + length });
      },
    ),
    { numRuns: 12 },
  );
});
