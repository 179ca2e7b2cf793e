/** A machine's load: CPU, memory and I/O wait of one day, minute by minute. */
import type { Machine } from '../fleet/types.js';
import { isWeekend, MINUTES_PER_DAY } from './calendar.js';
import { baseCurves } from './curves.js';
import { leakedMemory, pressure } from './leak.js';
import { type Burst, PATTERNS } from './patterns.js';
import { fillKnots, type Random, stream } from './random.js';

const SPIKE_POINTS = 25;
const SPIKE_LIMIT = 95;
const SPIKE_EVERY = 15;

/** Where a day's values are worked out; used again for every day, so that a day leaves no garbage. */
const cpuBase = new Float64Array(MINUTES_PER_DAY);
const memoryBase = new Float64Array(MINUTES_PER_DAY);
const ioBase = new Float64Array(MINUTES_PER_DAY);
const slow = new Float64Array(MINUTES_PER_DAY);

/**
 * Fills the three columns (per cent, 0 to 100, two decimals) for one day of a machine. A column that is not wanted is
 * undefined; the others do not change by that.
 */
export function fillLoad(
  seed: number,
  machine: Machine,
  day: number,
  cpu: Float64Array | undefined,
  memory: Float64Array | undefined,
  io: Float64Array | undefined,
): void {
  const { variation, bursts, quarterHourSpikes, leaks } = PATTERNS[machine.pattern];
  const curves = baseCurves(machine.pattern, day);
  cpuBase.set(curves.cpu);
  memoryBase.set(curves.memory);
  ioBase.set(curves.io);
  const spikes = quarterHourSpikes && !isWeekend(day);
  if (spikes) addQuarterHourSpikes();
  if (leaks) addLeak(day);
  if (bursts.length > 0) addBursts(bursts, stream(seed, machine.assetId, 'bursts', day), day);
  fillSlow(seed, machine.assetId, day, variation.knotMinutes);

  const columns = [cpu, memory, io];
  const bases = [cpuBase, memoryBase, ioBase];
  const names = ['cpu_usage', 'memory_usage', 'io_wait'];
  for (let i = 0; i < columns.length; i++) {
    const column = columns[i];
    if (!column) continue;
    const random = stream(seed, machine.assetId, names[i], day);
    vary(column, bases[i], variation.slow[i], variation.fast[i], random);
  }
  if (spikes && cpu) limitQuarterHourSpikes(cpu);
}

/** The hot loop: base, slow and fast variation, bounds, two decimals. */
function vary(
  column: Float64Array,
  base: Float64Array,
  slowPoints: number,
  fastPoints: number,
  random: Random,
): void {
  for (let minute = 0; minute < MINUTES_PER_DAY; minute++) {
    // The sum of two uniform numbers: mostly small, never far out.
    const fast = random() + random() - 1;
    const value = base[minute] + slowPoints * slow[minute] + fastPoints * fast;
    column[minute] = value <= 0 ? 0 : value >= 100 ? 100 : Math.round(value * 100) / 100;
  }
}

/** Knots joined by straight lines, in [-1, 1). */
function fillSlow(seed: number, assetId: string, day: number, knotMinutes: number): void {
  const knots = new Float64Array(MINUTES_PER_DAY / knotMinutes + 1);
  fillKnots(knots, stream(seed, assetId, 'load', day), stream(seed, assetId, 'load', day + 1));
  for (let i = 0, minute = 0; i < knots.length - 1; i++) {
    const step = (knots[i + 1] - knots[i]) / knotMinutes;
    for (let j = 0; j < knotMinutes; j++, minute++) slow[minute] = knots[i] + step * j;
  }
}

function addQuarterHourSpikes(): void {
  for (let minute = 9 * 60; minute < 17 * 60; minute += SPIKE_EVERY) {
    cpuBase[minute] = Math.min(SPIKE_LIMIT, cpuBase[minute] + SPIKE_POINTS);
  }
}

/** The limit holds for what is recorded, not only for the curve. */
function limitQuarterHourSpikes(cpu: Float64Array): void {
  for (let minute = 9 * 60; minute < 17 * 60; minute += SPIKE_EVERY) {
    cpu[minute] = Math.min(SPIKE_LIMIT, cpu[minute]);
  }
}

function addLeak(day: number): void {
  for (let minute = 0; minute < MINUTES_PER_DAY; minute++) {
    const used = leakedMemory(day, minute);
    const more = pressure(used);
    memoryBase[minute] += used;
    cpuBase[minute] += more.cpu;
    ioBase[minute] += more.io;
  }
}

function addBursts(bursts: readonly Burst[], random: Random, day: number): void {
  for (const burst of bursts) {
    if (burst.weekdaysOnly && isWeekend(day)) continue;
    const whole = Math.floor(burst.perDay);
    const count = whole + (random() < burst.perDay - whole ? 1 : 0);
    for (let i = 0; i < count; i++) addBurst(burst, random);
  }
}

function addBurst({ from, to, minutes: [shortest, longest], cpu, memory, io }: Burst, random: Random): void {
  const start = Math.floor(60 * (from + random() * (to - from)));
  const length = shortest + Math.floor(random() * (longest - shortest + 1));
  const strength = 0.5 + random() / 2;
  const end = Math.min(MINUTES_PER_DAY, start + length);
  for (let minute = start; minute < end; minute++) {
    cpuBase[minute] += cpu * strength;
    memoryBase[minute] += memory * strength;
    ioBase[minute] += io * strength;
  }
}
