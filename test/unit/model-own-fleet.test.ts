/** What a fleet file changes: parameters, further metrics, and the hours that are meant. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildFleet } from '../../src/fleet/build.js';
import type { MachineEntry, MetricEntry, ServiceEntry } from '../../src/fleet/file.js';
import { METRIC_PATTERN_NAMES } from '../../src/fleet/types.js';
import { MINUTES_PER_DAY } from '../../src/model/local-time.js';
import { sampledSeries, TelemetryModel } from '../../src/model/telemetry-model.js';

const FIRST_DAY = 20_000;

interface Change {
  readonly machine?: Partial<MachineEntry>;
  readonly timezone?: string;
  readonly days?: number;
  readonly firstDay?: number;
}

/** The series of one machine over some days, by metric. */
function generate({
  machine,
  timezone = 'UTC',
  days = 28,
  firstDay = FIRST_DAY,
}: Change): Record<string, Float64Array> {
  const entry: MachineEntry = {
    id: 'm',
    type: 'vm',
    hostname: 'M',
    pattern: 'cpu_spikes_business_hours',
    ...machine,
  };
  const fleet = buildFleet({ file: { machines: [entry] }, scale: 1, timezone });
  const model = new TelemetryModel(fleet, 42);
  return seriesOf(model, 0, days, firstDay);
}

function seriesOf(
  model: TelemetryModel,
  service: number,
  days: number,
  firstDay: number,
): Record<string, Float64Array> {
  const asset = service > 0 ? model.fleet.services[service - 1] : model.fleet.machines[0];
  const definitions = sampledSeries(asset);
  const series = Object.fromEntries(
    definitions.map(({ metricName }) => [metricName, new Float64Array(days * MINUTES_PER_DAY)]),
  );
  for (let day = 0; day < days; day++) {
    const columns = definitions.map(({ metricName }) =>
      series[metricName].subarray(day * MINUTES_PER_DAY, (day + 1) * MINUTES_PER_DAY),
    );
    model.fillDay(asset, firstDay + day, columns);
  }
  return series;
}

const mean = (values: Float64Array) => values.reduce((sum, value) => sum + value, 0) / values.length;
const share = (values: Float64Array, state: number) =>
  values.filter((value) => value === state).length / values.length;
/** Mean over the minutes of days, of which hour each is by UTC. */
function meanOfHour(values: Float64Array, hour: number): number {
  return mean(values.filter((_, i) => Math.floor((i % MINUTES_PER_DAY) / 60) === hour));
}

test('scale and offset move a load, variation its noise', () => {
  const usual = generate({});
  const half = generate({ machine: { parameters: { cpu: { scale: 0.5, offset: 10 } } } });
  assert.ok(
    Math.abs(mean(half.cpu_usage) - (10 + mean(usual.cpu_usage) / 2)) < 1.5,
    `${mean(half.cpu_usage)}`,
  );
  assert.ok(Math.abs(mean(half.memory_usage) - mean(usual.memory_usage)) < 1.5);
  const calm = generate({
    machine: { pattern: 'stable_low_load', parameters: { memory: { variation: 0 } } },
  });
  const lively = generate({ machine: { pattern: 'stable_low_load' } });
  const spread = (values: Float64Array) => {
    const centre = mean(values);
    return Math.sqrt(mean(values.map((value) => (value - centre) ** 2)));
  };
  assert.ok(spread(calm.memory_usage) < spread(lively.memory_usage) / 2);
});

test('the more bursts, the more load', () => {
  const pattern = 'volatile_load' as const;
  const [none, usual, many] = [0, 1, 3].map((bursts) =>
    mean(generate({ machine: { pattern, parameters: { bursts } } }).cpu_usage),
  );
  assert.ok(none < usual - 1 && usual < many - 1, `${none}, ${usual}, ${many}`);
});

test('uptime is the one that is asked for', () => {
  for (const [uptime, tolerance] of [
    [99.9, 0.05],
    [98, 0.5],
    [92, 1.5],
  ]) {
    const { availability_status } = generate({ machine: { parameters: { uptime } }, days: 1000 });
    const up = 100 * share(availability_status, 100);
    assert.ok(Math.abs(up - uptime) < tolerance, `${up} of ${uptime}`);
  }
  assert.equal(share(generate({ machine: { parameters: { uptime: 100 } } }).availability_status, 100), 1);
});

test('response times are as many times as long as the idle one is', () => {
  // The median: an outage takes as long as it takes, whatever answers.
  const [one, four] = [20, 80].map(
    (response_time_ms) =>
      generate({ machine: { parameters: { response_time_ms } } }).response_time_ms.sort()[
        14 * MINUTES_PER_DAY
      ],
  );
  assert.ok(Math.abs(four / one - 4) < 0.2, `${four / one}`);
});

test('backups succeed as often as is asked for', () => {
  for (const backup_success of [100, 60]) {
    const file = {
      machines: [
        {
          id: 'm',
          type: 'vm',
          hostname: 'M',
          pattern: 'stable_low_load',
          parameters: { backup_success },
        } as const,
      ],
    };
    const model = new TelemetryModel(buildFleet({ file, scale: 1, timezone: 'UTC' }), 42);
    const from = FIRST_DAY * MINUTES_PER_DAY;
    const backups = model.backups(model.fleet.machines[0], from, from + 2000 * MINUTES_PER_DAY);
    const rate = (100 * backups.filter(({ success }) => success).length) / backups.length;
    assert.ok(Math.abs(rate - backup_success) < 6, `${rate} of ${backup_success}`);
    if (backup_success === 100) assert.equal(rate, 100);
  }
});

test('a metric of its own keeps to its range, fills it, and follows what it says', () => {
  const metrics: MetricEntry[] = METRIC_PATTERN_NAMES.map((pattern) => ({
    name: `like_${pattern}`,
    unit: 'mbps',
    range: [-20, 940],
    pattern,
  }));
  const series = generate({ machine: { metrics } });
  for (const { name } of metrics) {
    const values = series[name];
    assert.ok(
      values.every((value) => value >= -20 && value <= 940 && Number.isFinite(value)),
      name,
    );
    assert.ok(new Set(values).size > 1000, `${name} has few values`);
  }
  const busy = meanOfHour(series.like_business_hours, 13);
  assert.ok(busy > 2 * meanOfHour(series.like_business_hours, 3));
  assert.ok(meanOfHour(series.like_nights, 2) > 2 * meanOfHour(series.like_nights, 14));
  assert.ok(meanOfHour(series.like_follows_cpu, 11) > meanOfHour(series.like_follows_cpu, 3));
  assert.ok(Math.abs(mean(series.like_steady) - 460) < 60);
});

test('a range of any size is kept to, and not rounded away', () => {
  const bounds: [number, number][] = [
    [0.001, 0.002],
    [0.12345, 0.6],
    [-1e-6, 1e-6],
    [1e9, 1e12],
    [3, 4],
  ];
  const metrics = bounds.map(
    (range, i): MetricEntry => ({ name: `m${i}`, unit: 'x', range, pattern: 'follows_cpu' }),
  );
  const series = generate({ machine: { metrics }, days: 7 });
  for (const { name, range } of metrics) {
    assert.ok(
      series[name].every((value) => value >= range[0] && value <= range[1]),
      name,
    );
    assert.ok(new Set(series[name]).size > 1000, name);
  }
});

test('metrics of its own leave the others as they are', () => {
  const usual = generate({});
  const more = generate({
    machine: { metrics: [{ name: 'disk_usage', unit: 'percentage', range: [0, 100], pattern: 'steady' }] },
  });
  for (const name of Object.keys(usual)) assert.deepEqual(more[name], usual[name], name);
});

test('office hours are those of the time zone, summer and winter', () => {
  const busiest = (timezone: string, firstDay: number) => {
    const { cpu_usage } = generate({ timezone, firstDay, days: 28 });
    const hours = Array.from({ length: 24 }, (_, hour) => meanOfHour(cpu_usage, hour));
    const most = Math.max(...hours);
    return hours.flatMap((value, hour) => (value > 0.8 * most ? [hour] : []));
  };
  const winter = Date.UTC(2025, 0, 6) / 86_400_000;
  const summer = Date.UTC(2025, 5, 2) / 86_400_000;
  const utc = busiest('UTC', winter);
  assert.deepEqual(busiest('UTC', summer), utc);
  assert.deepEqual(
    busiest('Europe/Rome', winter),
    utc.map((hour) => hour - 1),
  );
  assert.deepEqual(
    busiest('Europe/Rome', summer),
    utc.map((hour) => hour - 2),
  );
  assert.deepEqual(
    busiest('America/New_York', winter),
    utc.map((hour) => (hour + 5) % 24).sort((a, b) => a - b),
  );
});

test('a planned downtime is by the local clock, on the days that have 23 and 25 hours as well', () => {
  const service: ServiceEntry = {
    id: 's',
    name: 'S',
    type: 'web',
    port: 80,
    planned_downtime: '01:00-05:00',
    parameters: { uptime: 100 },
  };
  const machine: MachineEntry = {
    id: 'm',
    type: 'vm',
    hostname: 'M',
    pattern: 'stable_low_load',
    parameters: { uptime: 100 },
    services: [service],
  };
  const model = new TelemetryModel(
    buildFleet({ file: { machines: [machine] }, scale: 1, timezone: 'Europe/Rome' }),
    42,
  );
  /** Of a UTC day, in its minutes. */
  const down = (date: string) => {
    const { availability_status } = seriesOf(model, 1, 1, Date.parse(`${date}T00:00Z`) / 86_400_000);
    const stretches: number[][] = [];
    for (const [minute, state] of availability_status.entries()) {
      if (state > 0) continue;
      if (stretches.at(-1)?.[1] === minute) stretches.at(-1)?.splice(1, 1, minute + 1);
      else stretches.push([minute, minute + 1]);
    }
    return stretches;
  };
  assert.deepEqual(down('2025-01-15'), [[0, 240]]);
  const summer = [
    [0, 180],
    [1380, 1440],
  ];
  assert.deepEqual(down('2025-06-15'), summer);
  // The hour from 2 to 3 is left out: three hours, and the next night's first.
  assert.deepEqual(down('2025-03-30'), summer);
  // It comes twice: five hours, of which the first is of the UTC day before.
  assert.deepEqual(down('2025-10-26'), [[0, 240]]);
  assert.deepEqual(down('2025-10-25').at(-1), [1380, 1440]);
});
