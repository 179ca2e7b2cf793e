/** Availability, response time and backups: the manual's rates over many days. Prints them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_FLEET } from '../../src/fleet/default.js';
import type { Machine, MachineType, Service } from '../../src/fleet/types.js';
import { backupSchedule } from '../../src/model/backups.js';
import { isMonday, MINUTES_PER_DAY, weekday } from '../../src/model/local-time.js';
import { fillOwnFaults } from '../../src/model/polling.js';
import { TelemetryModel } from '../../src/model/telemetry-model.js';

const SEED = 42;
const FIRST_DAY = 20_000;
const DAYS = 84;
const model = new TelemetryModel(DEFAULT_FLEET, SEED);

function figure(name: string, value: number, low: number, high: number): void {
  console.log(`${name}: ${value.toFixed(4)} (${low} to ${high})`);
  assert.ok(value >= low && value <= high, `${name} is ${value}, not in [${low}, ${high}]`);
}

function polling(asset: Machine | Service, day: number): { states: Float64Array; ms: Float64Array } {
  const states = new Float64Array(MINUTES_PER_DAY);
  const ms = new Float64Array(MINUTES_PER_DAY);
  const columns =
    asset.assetType === 'service' ? [states, ms] : [undefined, undefined, undefined, states, ms];
  model.fillDay(asset, day, columns);
  return { states, ms };
}

function ownUptime(assets: readonly (Machine | Service)[], isUp: (state: number) => boolean): number {
  const states = new Float64Array(MINUTES_PER_DAY);
  let up = 0;
  let all = 0;
  for (const asset of assets) {
    for (let day = FIRST_DAY; day < FIRST_DAY + DAYS; day++) {
      fillOwnFaults(SEED, asset, day, states);
      for (const state of states) if (isUp(state)) up++;
      all += MINUTES_PER_DAY;
    }
  }
  return (100 * up) / all;
}

test('own faults leave 99.5 % to services and 99.9 % to machines, degraded counted either way', () => {
  const { machines, services } = DEFAULT_FLEET;
  figure(
    'services, up or degraded',
    ownUptime(services, (state) => state > 0),
    99.35,
    99.65,
  );
  figure(
    'services, fully up',
    ownUptime(services, (state) => state === 100),
    99.35,
    99.65,
  );
  figure(
    'machines, up or degraded',
    ownUptime(machines, (state) => state > 0),
    99.85,
    99.95,
  );
  figure(
    'machines, fully up',
    ownUptime(machines, (state) => state === 100),
    99.85,
    99.95,
  );
});

test('a service is never better than its host, in any minute', () => {
  let hostTroubles = 0;
  for (const service of DEFAULT_FLEET.services) {
    const host = DEFAULT_FLEET.machines.find((machine) => machine.assetId === service.hostId) as Machine;
    for (let day = FIRST_DAY; day < FIRST_DAY + DAYS; day++) {
      const mine = polling(service, day).states;
      const theirs = polling(host, day).states;
      for (let minute = 0; minute < MINUTES_PER_DAY; minute++) {
        if (theirs[minute] < 100) hostTroubles++;
        if (mine[minute] > theirs[minute]) assert.fail(`${service.assetId} day ${day} minute ${minute}`);
      }
    }
  }
  assert.ok(hostTroubles > 1000);
});

test('incidents last: states come in runs, and some go on over midnight', () => {
  const states = new Float64Array(MINUTES_PER_DAY);
  const lengths: number[] = [];
  let overMidnight = 0;
  for (const service of DEFAULT_FLEET.services) {
    let length = 0;
    for (let day = FIRST_DAY; day < FIRST_DAY + 1000; day++) {
      fillOwnFaults(SEED, service, day, states);
      if (length > 0 && states[0] === 0) overMidnight++;
      for (const state of states) {
        if (state === 0) length++;
        else if (length > 0) {
          lengths.push(length);
          length = 0;
        }
      }
    }
  }
  const meanLength = lengths.reduce((sum, length) => sum + length, 0) / lengths.length;
  figure('minutes of an outage', meanLength, 25, 36);
  assert.ok(Math.min(...lengths) >= 4);
  assert.ok(overMidnight > 10, `${overMidnight} outages over midnight`);
});

test('the planned window is down from 23:00 to 01:00, and the rest of the day is not', () => {
  const reporting = DEFAULT_FLEET.services.find(({ assetId }) => assetId === 'svc-reporting-101') as Service;
  let upOutside = 0;
  for (let day = FIRST_DAY; day < FIRST_DAY + DAYS; day++) {
    const { states, ms } = polling(reporting, day);
    for (let minute = 0; minute < MINUTES_PER_DAY; minute++) {
      if (minute < 60 || minute >= 23 * 60) {
        assert.equal(states[minute], 0);
        assert.equal(ms[minute], 30_000);
      } else if (states[minute] === 100) upOutside++;
    }
  }
  figure('up outside the window', (100 * upOutside) / (DAYS * 22 * 60), 98, 100);
});

test('the leak degrades its service before the weekly reset, and only then', () => {
  const tomcat = DEFAULT_FLEET.services.find((service) => service.degradesWithMemory) as Service;
  const degraded = { before: 0, midweek: 0 };
  for (let day = FIRST_DAY; day < FIRST_DAY + DAYS; day++) {
    const { states } = polling(tomcat, day);
    const minutes = states.filter((state) => state === 50).length / MINUTES_PER_DAY;
    if (weekday(day) === 6) degraded.before += minutes / 12;
    if (weekday(day) === 3) degraded.midweek += minutes / 12;
  }
  figure('degraded on Saturdays', degraded.before, 0.8, 1);
  figure('degraded on Wednesdays', degraded.midweek, 0, 0.02);
});

test('response time follows type, hour and state', () => {
  const median = (values: number[]) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)];
  const bases = { service: 50, container: 30, vm: 100, physical_host: 150, proxmox_node: 200 } as const;
  for (const [type, base] of Object.entries(bases)) {
    const assets = [...DEFAULT_FLEET.machines, ...DEFAULT_FLEET.services].filter((a) => a.assetType === type);
    const office: number[] = [];
    const night: number[] = [];
    let slow = 0;
    let fine = 0;
    for (const asset of assets) {
      for (let day = FIRST_DAY; day < FIRST_DAY + 28; day++) {
        const { states, ms } = polling(asset, day);
        for (let minute = 0; minute < MINUTES_PER_DAY; minute++) {
          if (states[minute] === 0) assert.equal(ms[minute], 30_000);
          else assert.ok(ms[minute] < 30_000 && ms[minute] > 0);
          if (states[minute] !== 100) continue;
          const hour = minute / 60;
          fine++;
          if (ms[minute] > 2.5 * base) slow++;
          if (hour >= 9 && hour < 17 && ![0, 6].includes(weekday(day))) office.push(ms[minute]);
          if (hour < 6 || hour >= 22) night.push(ms[minute]);
        }
      }
    }
    figure(`${type} in office hours, median over base`, median(office) / base, 1.2, 2.5);
    figure(`${type} at night, median over base`, median(night) / base, 1.1, 1.8);
    figure(`${type} slow minutes`, slow / fine, 0.03, 0.06);
  }
});

test('what is degraded answers several times as slowly', () => {
  const tomcat = DEFAULT_FLEET.services.find((service) => service.degradesWithMemory) as Service;
  const means = { 100: 0, 50: 0 };
  const counts = { 100: 0, 50: 0 };
  for (let day = FIRST_DAY; day < FIRST_DAY + DAYS; day++) {
    const { states, ms } = polling(tomcat, day);
    for (let minute = 0; minute < MINUTES_PER_DAY; minute++) {
      const state = states[minute];
      if (state !== 100 && state !== 50) continue;
      means[state] += ms[minute];
      counts[state]++;
    }
  }
  figure('degraded over up', means[50] / counts[50] / (means[100] / counts[100]), 2.5, 8);
});

test('backups: one a night between 01:00 and 04:59, success by type over 3,650 days, Mondays and the leak below', () => {
  const rates: Record<MachineType, number> = { proxmox_node: 98, physical_host: 97, vm: 95, container: 92 };
  const days = 3650;
  const first = 18_000;
  const success = { monday: 0, other: 0 };
  const counts = { monday: 0, other: 0 };
  const byMachine = new Map<string, number>();
  const contention = { inside: 0, outside: 0, insideCount: 0, outsideCount: 0 };
  for (const machine of DEFAULT_FLEET.machines) {
    let succeeded = 0;
    for (let day = first; day < first + days; day++) {
      const [{ minute: start, success: well }] = model.backups(machine, day * 1440, (day + 1) * 1440);
      const backup = { minute: start - day * 1440, success: well };
      assert.ok(backup.minute >= 60 && backup.minute <= 299);
      const kind = isMonday(day) ? 'monday' : 'other';
      counts[kind]++;
      const where = backup.minute >= 120 && backup.minute < 240 ? 'inside' : 'outside';
      contention[`${where}Count`]++;
      if (!backup.success) continue;
      succeeded++;
      success[kind]++;
      contention[where]++;
    }
    byMachine.set(machine.assetId, (100 * succeeded) / days);
  }
  for (const [type, rate] of Object.entries(rates)) {
    const machines = DEFAULT_FLEET.machines.filter(({ assetType }) => assetType === type);
    const mean =
      machines.reduce((sum, { assetId }) => sum + (byMachine.get(assetId) ?? 0), 0) / machines.length;
    figure(`${type} success`, mean, rate - 1.5, rate + 1.5);
  }
  const monday = (100 * success.monday) / counts.monday;
  const other = (100 * success.other) / counts.other;
  console.log(`Mondays ${monday.toFixed(2)}, other days ${other.toFixed(2)}`);
  assert.ok(monday < other - 1);
  const otherVms = ['vm-101', 'vm-102', 'vm-104', 'vm-105'].map((id) => byMachine.get(id) ?? 0);
  console.log(
    `leaking ${byMachine.get('vm-103')?.toFixed(2)}, other VMs ${otherVms.map((r) => r.toFixed(2))}`,
  );
  assert.ok(
    (byMachine.get('vm-103') ?? 100) < 95 && (byMachine.get('vm-103') ?? 100) < Math.min(...otherVms),
  );
});

test('backups are when their jobs run: daily targets after 02:00, on Sundays those of the weekly job after 01:00', () => {
  const schedule = backupSchedule(DEFAULT_FLEET);
  const machine = (id: string) => DEFAULT_FLEET.machines.find(({ assetId }) => assetId === id) as Machine;
  for (let day = FIRST_DAY; day < FIRST_DAY + 70; day++) {
    const sunday = weekday(day) === 0;
    for (const [position, id] of ['vm-101', 'vm-102', 'vm-103'].entries()) {
      const start = (sunday ? 60 : 120) + 15 * position;
      const minute = schedule(machine(id), day);
      assert.ok(minute >= start && minute < start + 10, `${id} on day ${day}: ${minute}`);
    }
    if (sunday) assert.ok(schedule(machine('vm-105'), day) >= 120 && schedule(machine('vm-105'), day) < 130);
  }
});
