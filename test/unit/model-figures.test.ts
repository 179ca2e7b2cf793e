/** The figures of the manual, measured over 84 days of one seed. Prints them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_FLEET } from '../../src/fleet/default.js';
import type { Machine } from '../../src/fleet/types.js';
import { MINUTES_PER_DAY, weekday } from '../../src/model/local-time.js';
import { TelemetryModel } from '../../src/model/telemetry-model.js';

const SEED = 42;
const FIRST_DAY = 20_000;
const DAYS = 84;
const model = new TelemetryModel(DEFAULT_FLEET, SEED);

interface Load {
  readonly cpu: Float64Array[];
  readonly memory: Float64Array[];
  readonly io: Float64Array[];
}

const loads = new Map<string, Load>();

function loadOf(machineId: string): Load {
  let load = loads.get(machineId);
  if (!load) {
    const machine = DEFAULT_FLEET.machines.find((one) => one.assetId === machineId) as Machine;
    load = { cpu: [], memory: [], io: [] };
    for (let day = FIRST_DAY; day < FIRST_DAY + DAYS; day++) {
      const [cpu, memory, io] = [0, 1, 2].map(() => new Float64Array(MINUTES_PER_DAY));
      model.fillDay(machine, day, [cpu, memory, io, undefined, undefined]);
      load.cpu.push(cpu);
      load.memory.push(memory);
      load.io.push(io);
    }
    loads.set(machineId, load);
  }
  return load;
}

type Days = 'weekdays' | 'weekends' | 'all';

/** Mean over the hours [from, to) of some days; `from` > `to` goes round midnight. */
function mean(days: readonly Float64Array[], which: Days, from = 0, to = 24): number {
  let sum = 0;
  let count = 0;
  for (const [i, values] of days.entries()) {
    const weekend = [0, 6].includes(weekday(FIRST_DAY + i));
    if (which !== 'all' && weekend !== (which === 'weekends')) continue;
    for (let minute = 0; minute < MINUTES_PER_DAY; minute++) {
      const hour = minute / 60;
      const inside = from < to ? hour >= from && hour < to : hour >= from || hour < to;
      if (!inside) continue;
      sum += values[minute];
      count++;
    }
  }
  return sum / count;
}

function deviation(days: readonly Float64Array[]): number {
  const centre = mean(days, 'all');
  let sum = 0;
  for (const values of days) for (const value of values) sum += (value - centre) ** 2;
  return Math.sqrt(sum / (days.length * MINUTES_PER_DAY));
}

function lag1(days: readonly Float64Array[]): number {
  const series = days.flatMap((values) => [...values]);
  const centre = mean(days, 'all');
  let above = 0;
  let below = 0;
  for (let i = 0; i < series.length; i++) {
    below += (series[i] - centre) ** 2;
    if (i > 0) above += (series[i] - centre) * (series[i - 1] - centre);
  }
  return above / below;
}

/** Prints a figure and requires it to lie in [low, high]. */
function figure(name: string, value: number, low: number, high: number): void {
  console.log(`${name}: ${value.toFixed(3)} (${low} to ${high})`);
  assert.ok(value >= low && value <= high, `${name} is ${value}, not in [${low}, ${high}]`);
}

for (const id of ['pve-node-01', 'physical-02']) {
  test(`stable_with_io_spikes (${id}): CPU 15, memory 35, I/O peak at 3:00`, () => {
    const { cpu, memory, io } = loadOf(id);
    figure('CPU', mean(cpu, 'all'), 14, 16);
    figure('memory', mean(memory, 'all'), 33.5, 36.5);
    figure('I/O at 3:00', mean(io, 'all', 2.9, 3.1), 50, 75);
    figure('I/O 6 to 24', mean(io, 'all', 6, 24), 3, 7);
    figure('memory at 3:00', mean(memory, 'all', 2.9, 3.1), 40, 50);
    const byHour = Array.from({ length: 24 }, (_, h) => mean(io, 'all', (h + 23.5) % 24, (h + 0.5) % 24));
    assert.equal(byHour.indexOf(Math.max(...byHour)), 3);
  });
}

test('cpu_spikes_business_hours: at least 65 on average from 9 to 17 on weekdays, low outside, spikes each quarter hour', () => {
  const { cpu, memory, io } = loadOf('vm-101');
  figure('CPU 9 to 17 on weekdays', mean(cpu, 'weekdays', 9, 17), 65, 85);
  figure('CPU 12 to 14 on weekdays', mean(cpu, 'weekdays', 12, 14), 82, 90);
  figure('CPU 19 to 7 on weekdays', mean(cpu, 'weekdays', 19, 7), 10, 22);
  figure('CPU at weekends', mean(cpu, 'weekends'), 8, 20);
  figure(
    'memory in hours over out of hours',
    mean(memory, 'weekdays', 9, 17) - mean(memory, 'weekdays', 19, 7),
    15,
    40,
  );
  figure('I/O 9 to 17 on weekdays', mean(io, 'weekdays', 9, 17), 12, 30);
  const at = (minutes: readonly number[]) => {
    const values = cpu.filter((_, i) => ![0, 6].includes(weekday(FIRST_DAY + i)));
    const all = values.flatMap((day) => minutes.flatMap((m) => [9, 10, 15, 16].map((h) => day[h * 60 + m])));
    return all.reduce((sum, value) => sum + value, 0) / all.length;
  };
  figure('quarter-hour spike', at([15, 30, 45]) - at([14, 29, 44, 16, 31, 46]), 15, 25);
  const spikes = cpu.flatMap((day) => Array.from({ length: 32 }, (_, i) => day[540 + 15 * i]));
  figure('highest spike', Math.max(...spikes), 90, 95);
});

test('high_load_business_hours: at least 75 from 9 to 17, about 45 in the evening, quiet weekends', () => {
  const { cpu, memory, io } = loadOf('vm-102');
  figure('CPU 9 to 17 on weekdays', mean(cpu, 'weekdays', 9, 17), 75, 90);
  figure('CPU 18 to 22 on weekdays', mean(cpu, 'weekdays', 18, 22), 41, 49);
  figure('CPU at night', mean(cpu, 'weekdays', 0, 6), 10, 25);
  figure('CPU at weekends', mean(cpu, 'weekends'), 10, 35);
  figure('memory 9 to 17 on weekdays', mean(memory, 'weekdays', 9, 17), 65, 85);
  figure('I/O 9 to 17 on weekdays', mean(io, 'weekdays', 9, 17), 20, 40);
});

test('memory_leak_pattern: memory climbs through the week and resets on Sunday, CPU and I/O rise with pressure', () => {
  const { cpu, memory, io } = loadOf('vm-103');
  const on = (days: readonly Float64Array[], w: number, from: number, to: number) =>
    mean(
      days.filter((_, i) => weekday(FIRST_DAY + i) === w),
      'all',
      from,
      to,
    );
  const climb = [1, 2, 3, 4, 5, 6].map((w) => on(memory, w, 0, 24));
  console.log(`memory Monday to Saturday: ${climb.map((value) => value.toFixed(1)).join(', ')}`);
  for (let i = 1; i < climb.length; i++) assert.ok(climb[i] > climb[i - 1] + 3);
  figure('memory on Sunday before the reset', on(memory, 0, 2, 3), 88, 97);
  figure('memory on Sunday after the reset', on(memory, 0, 3, 4), 32, 42);
  figure('CPU on Saturday over Sunday evening', on(cpu, 6, 12, 20) - on(cpu, 0, 12, 20), 10, 40);
  figure('I/O on Saturday over Sunday evening', on(io, 6, 12, 20) - on(io, 0, 12, 20), 10, 40);
});

test('volatile_load: high variance, random spikes', () => {
  const { cpu, memory, io } = loadOf('ct-201');
  figure('CPU deviation', deviation(cpu), 15, 35);
  figure('memory deviation', deviation(memory), 6, 25);
  figure('I/O deviation', deviation(io), 6, 25);
  const high = cpu.filter((day) => Math.max(...day) > 90).length / DAYS;
  figure('days with CPU over 90', high, 0.9, 1);
});

test('stable_low_load: CPU 8, low memory, minimal I/O', () => {
  const { cpu, memory, io } = loadOf('ct-202');
  figure('CPU', mean(cpu, 'all'), 7, 9);
  figure('memory', mean(memory, 'all'), 15, 30);
  figure('memory deviation', deviation(memory), 0, 3);
  figure('I/O', mean(io, 'all'), 0.5, 3);
});

test('io_wait_nights: I/O very high from 22 to 6, CPU high at night', () => {
  const { cpu, memory, io } = loadOf('physical-01');
  figure('I/O 22 to 6', mean(io, 'all', 22, 6), 60, 85);
  figure('I/O 8 to 20', mean(io, 'all', 8, 20), 3, 12);
  figure('CPU 22 to 6', mean(cpu, 'all', 22, 6), 50, 80);
  figure('CPU 8 to 20', mean(cpu, 'all', 8, 20), 5, 20);
  figure('memory at night over day', mean(memory, 'all', 22, 6) - mean(memory, 'all', 8, 20), 10, 40);
});

test('development_pattern: sporadic in working hours, I/O bursts at builds, idle at weekends', () => {
  const { cpu, io } = loadOf('vm-104');
  figure('CPU 9 to 18 on weekdays', mean(cpu, 'weekdays', 9, 18), 18, 50);
  figure('CPU 20 to 8 on weekdays', mean(cpu, 'weekdays', 20, 8), 2, 10);
  figure('CPU at weekends', mean(cpu, 'weekends'), 2, 10);
  const bursts = io.filter(
    (day, i) => ![0, 6].includes(weekday(FIRST_DAY + i)) && Math.max(...day) > 35,
  ).length;
  figure('share of weekdays with I/O over 35', bursts / 60, 0.95, 1);
  figure('I/O 9 to 18 on weekdays', mean(io, 'weekdays', 9, 18), 5, 25);
});

test('email_server_pattern: CPU 12 with peaks of 35 to 50 at 8–10, 13 and 17–19, quiet weekends', () => {
  const { cpu } = loadOf('vm-105');
  figure('CPU 20 to 7 on weekdays', mean(cpu, 'weekdays', 20, 7), 10.5, 13.5);
  figure('CPU 8 to 10', mean(cpu, 'weekdays', 8, 10), 35, 50);
  figure('CPU 13 to 14', mean(cpu, 'weekdays', 13, 14), 35, 50);
  figure('CPU 17 to 19', mean(cpu, 'weekdays', 17, 19), 35, 50);
  figure('CPU 11 to 12', mean(cpu, 'weekdays', 11, 12), 10, 16);
  figure('CPU at weekends', mean(cpu, 'weekends'), 6, 14);
});

test('every series keeps to 0–100 with two decimals, and its minutes hang together', () => {
  for (const { assetId, pattern } of DEFAULT_FLEET.machines) {
    const load = loadOf(assetId);
    for (const values of [...load.cpu, ...load.memory, ...load.io]) {
      for (const value of values) {
        if (value < 0 || value > 100 || Math.round(value * 100) / 100 !== value)
          assert.fail(`${assetId}: ${value}`);
      }
    }
    figure(`${assetId} ${pattern} CPU lag-1 autocorrelation`, lag1(load.cpu), 0.5, 0.999);
  }
});

test('midnight is no seam: the step over it is like any other', () => {
  const { cpu } = loadOf('ct-202');
  const steps = cpu.flatMap((day) => Array.from(day.subarray(1), (value, i) => Math.abs(value - day[i])));
  const seams = cpu.slice(1).map((day, i) => Math.abs(day[0] - cpu[i][MINUTES_PER_DAY - 1]));
  const average = (values: readonly number[]) =>
    values.reduce((sum, value) => sum + value, 0) / values.length;
  figure('step at midnight over other steps', average(seams) / average(steps), 0.6, 1.5);
});
