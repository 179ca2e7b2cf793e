/** A machine's load: CPU, memory, I/O wait and metrics of its own, of one day, minute by minute. */
import type { ExtraMetric, Machine, MetricPatternName } from '../fleet/types.js';
import {
  isWeekend,
  type LocalTime,
  MINUTES_PER_DAY,
  MINUTES_PER_WEEK,
  minuteOfWeek,
  type Stretch,
} from './local-time.js';
import {
  type Burst,
  baseCurves,
  between,
  type Change,
  changed,
  changeOf,
  fillKnots,
  night,
  PATTERNS,
  type Random,
  stream,
  type Variation,
} from './patterns.js';

const SPIKE_POINTS = 25;
const SPIKE_LIMIT = 95;
const SPIKE_EVERY = 15;

/**
 * Where a local day's curves are worked out; used again for every day, so that a day leaves no
 * garbage.
 */
const cpuCurve = new Float64Array(MINUTES_PER_DAY);
const memoryCurve = new Float64Array(MINUTES_PER_DAY);
const ioCurve = new Float64Array(MINUTES_PER_DAY);
/** Where the parts of them that make a UTC day are put together. */
const cpuBase = new Float64Array(MINUTES_PER_DAY);
const memoryBase = new Float64Array(MINUTES_PER_DAY);
const ioBase = new Float64Array(MINUTES_PER_DAY);
const slow = new Float64Array(MINUTES_PER_DAY);
const level = new Float64Array(MINUTES_PER_DAY);

/** Order of the three metrics in `bases` and in a pattern's variation. */
const FOLLOWED = { follows_cpu: 0, follows_memory: 1, follows_io: 2 } as const;
const bases = [cpuBase, memoryBase, ioBase];
const NAMES = ['cpu_usage', 'memory_usage', 'io_wait'];

/**
 * Fills the columns of a machine's load for one day: CPU, memory and I/O wait (per cent, 0 to 100,
 * two decimals), then the machine's own metrics in their units. A column that is not wanted is
 * undefined; the others do not change by that.
 * @param day UTC
 */
export function fillLoad(
  seed: number,
  machine: Machine,
  day: number,
  local: LocalTime,
  columns: readonly (Float64Array | undefined)[],
): void {
  const { variation, quarterHourSpikes } = PATTERNS[machine.pattern];
  const stretches = local.stretches(day);
  for (const stretch of stretches) {
    fillCurves(seed, machine, stretch.day);
    const end = stretch.minute + stretch.to - stretch.from;
    cpuBase.set(cpuCurve.subarray(stretch.minute, end), stretch.from);
    memoryBase.set(memoryCurve.subarray(stretch.minute, end), stretch.from);
    ioBase.set(ioCurve.subarray(stretch.minute, end), stretch.from);
  }
  fillSlow(seed, machine.assetId, day, variation.knotMinutes);

  const { cpu, memory, io } = machine.parameters ?? {};
  const changes = [changeOf(cpu), changeOf(memory), changeOf(io)];
  for (let i = 0; i < 3; i++) {
    const column = columns[i];
    if (!column) continue;
    const random = stream(seed, machine.assetId, NAMES[i], day);
    vary(column, i, changes[i], variation, random);
  }
  if (quarterHourSpikes && columns[0]) limitQuarterHourSpikes(columns[0], stretches);
  for (const [i, metric] of (machine.metrics ?? []).entries()) {
    const column = columns[3 + i];
    if (column) fillOwnMetric(seed, machine, metric, day, stretches, changes, column);
  }
}

/** The curves of a whole local day, with bursts, spikes and leak. */
function fillCurves(seed: number, machine: Machine, day: number): void {
  const { bursts, quarterHourSpikes, leaks } = PATTERNS[machine.pattern];
  const curves = baseCurves(machine.pattern, day);
  cpuCurve.set(curves.cpu);
  memoryCurve.set(curves.memory);
  ioCurve.set(curves.io);
  if (quarterHourSpikes && !isWeekend(day)) addQuarterHourSpikes();
  if (leaks) addLeak(day);
  if (bursts.length === 0) return;
  const random = stream(seed, machine.assetId, 'bursts', day);
  addBursts(bursts, machine.parameters?.bursts ?? 1, random, day);
}

/** Base, slow and fast variation, bounds, two decimals. */
function vary(
  column: Float64Array,
  index: number,
  { scale, offset, variation }: Change,
  pattern: Variation,
  random: Random,
): void {
  const slowPoints = pattern.slow[index] * variation;
  const fastPoints = pattern.fast[index] * variation;
  varyMinutes(column, bases[index], offset, scale, slowPoints, fastPoints, random);
}

/** A hot loop: numbers and typed arrays alone, so that the engine compiles it once and keeps it. */
function varyMinutes(
  column: Float64Array,
  base: Float64Array,
  offset: number,
  scale: number,
  slowPoints: number,
  fastPoints: number,
  random: Random,
): void {
  for (let minute = 0; minute < MINUTES_PER_DAY; minute++) {
    // The sum of two uniform numbers: mostly small, never far out.
    const fast = random() + random() - 1;
    const value = offset + scale * base[minute] + slowPoints * slow[minute] + fastPoints * fast;
    column[minute] = value <= 0 ? 0 : value >= 100 ? 100 : Math.round(value * 100) / 100;
  }
}

/**
 * A metric of the machine's own: a level between 0 and 1, varied, between the ends of its range.
 */
function fillOwnMetric(
  seed: number,
  machine: Machine,
  { name, range: [min, max], pattern }: ExtraMetric,
  day: number,
  stretches: readonly Stretch[],
  changes: readonly Change[],
  column: Float64Array,
): void {
  let slowShare = OWN_SLOW;
  if (pattern === 'follows_cpu' || pattern === 'follows_memory' || pattern === 'follows_io') {
    const followed = FOLLOWED[pattern];
    const base = bases[followed];
    slowShare = (PATTERNS[machine.pattern].variation.slow[followed] / 100) * changes[followed].variation;
    const { scale, offset } = changes[followed];
    for (let minute = 0; minute < MINUTES_PER_DAY; minute++) {
      level[minute] = changed(base[minute], scale, offset) / 100;
    }
  } else {
    const levelAt = OWN_LEVELS[pattern];
    for (const { from, to, day: localDay, minute: first } of stretches) {
      for (let minute = from; minute < to; minute++) level[minute] = levelAt(localDay, first + minute - from);
    }
  }
  const random = stream(seed, machine.assetId, name, day);
  const steps = 10 ** decimalsOf(max - min);
  for (let minute = 0; minute < MINUTES_PER_DAY; minute++) {
    const fast = random() + random() - 1;
    const share = level[minute] + slowShare * slow[minute] + OWN_FAST * fast;
    const value = min + (max - min) * Math.min(1, Math.max(0, share));
    column[minute] = Math.min(max, Math.max(min, Math.round(value * steps) / steps));
  }
}

/** A range of a few units needs more decimals than per cent do. */
export function decimalsOf(range: number): number {
  return range >= 10 ? 2 : Math.min(12, 4 - Math.floor(Math.log10(range)));
}

/** Knots joined by straight lines, in [-1, 1). */
function fillSlow(seed: number, assetId: string, day: number, knotMinutes: number): void {
  const knots = new Float64Array(MINUTES_PER_DAY / knotMinutes + 1);
  fillKnots(knots, stream(seed, assetId, 'load', day), stream(seed, assetId, 'load', day + 1));
  joinKnots(knots, knotMinutes);
}

function joinKnots(knots: Float64Array, knotMinutes: number): void {
  for (let i = 0, minute = 0; i < knots.length - 1; i++) {
    const step = (knots[i + 1] - knots[i]) / knotMinutes;
    for (let j = 0; j < knotMinutes; j++, minute++) slow[minute] = knots[i] + step * j;
  }
}

function addQuarterHourSpikes(): void {
  for (let minute = 9 * 60; minute < 17 * 60; minute += SPIKE_EVERY) {
    cpuCurve[minute] = Math.min(SPIKE_LIMIT, cpuCurve[minute] + SPIKE_POINTS);
  }
}

/** The limit holds for what is recorded, not only for the curve. */
function limitQuarterHourSpikes(cpu: Float64Array, stretches: readonly Stretch[]): void {
  for (const { from, to, day, minute: first } of stretches) {
    if (isWeekend(day)) continue;
    for (let minute = 9 * 60; minute < 17 * 60; minute += SPIKE_EVERY) {
      const at = from + minute - first;
      if (at >= from && at < to) cpu[at] = Math.min(SPIKE_LIMIT, cpu[at]);
    }
  }
}

function addLeak(day: number): void {
  for (let minute = 0; minute < MINUTES_PER_DAY; minute++) {
    const used = leakedMemory(day, minute);
    const more = pressure(used);
    memoryCurve[minute] += used;
    cpuCurve[minute] += more.cpu;
    ioCurve[minute] += more.io;
  }
}

function addBursts(bursts: readonly Burst[], times: number, random: Random, day: number): void {
  for (const burst of bursts) {
    if (burst.weekdaysOnly && isWeekend(day)) continue;
    const perDay = burst.perDay * times;
    const whole = Math.floor(perDay);
    const count = whole + (random() < perDay - whole ? 1 : 0);
    for (let i = 0; i < count; i++) addBurst(burst, random);
  }
}

function addBurst({ from, to, minutes: [shortest, longest], cpu, memory, io }: Burst, random: Random): void {
  const start = Math.floor(60 * (from + random() * (to - from)));
  const length = shortest + Math.floor(random() * (longest - shortest + 1));
  const strength = 0.5 + random() / 2;
  const end = Math.min(MINUTES_PER_DAY, start + length);
  for (let minute = start; minute < end; minute++) {
    cpuCurve[minute] += cpu * strength;
    memoryCurve[minute] += memory * strength;
    ioCurve[minute] += io * strength;
  }
}

// The memory leak: how full a leaking machine is follows from the calendar alone. It starts afresh
// when it is restarted, every Sunday at 03:00, and fills up until then.

const RESTART = 3 * 60;
const EMPTY = 36;
const FULL = 94;
/** From here on the process swaps and its service answers slowly. */
const PRESSURE_BEGINS = 60;
const SERVICE_DEGRADES = 86;

/** How much of the week since the restart is over, from 0 to 1. */
function weekFilled(day: number, minute: number): number {
  const since = (minuteOfWeek(day, minute) - RESTART + MINUTES_PER_WEEK) % MINUTES_PER_WEEK;
  return since / MINUTES_PER_WEEK;
}

/** Used memory at a minute of a day, in per cent. */
function leakedMemory(day: number, minute: number): number {
  return EMPTY + (FULL - EMPTY) * weekFilled(day, minute);
}

/**
 * What memory pressure adds to CPU and I/O, in points: nothing until memory is scarce, then ever
 * more.
 */
export function pressure(memory: number): { readonly cpu: number; readonly io: number } {
  const scarce = Math.max(0, (memory - PRESSURE_BEGINS) / (FULL - PRESSURE_BEGINS));
  return { cpu: 28 * scarce, io: 34 * scarce * scarce };
}

/** True in the last day before the restart, when a leaking process still answers, but badly. */
export function isDegradedByMemory(day: number, minute: number): boolean {
  return leakedMemory(day, minute) >= SERVICE_DEGRADES;
}

// Levels, from 0 to 1, of the metrics that a fleet file adds to a machine, where they do not follow
// the machine's load.

/**
 * Shares of the range by which a metric varies slowly, together with the machine's load, and from
 * minute to minute.
 */
const OWN_SLOW = 0.06;
const OWN_FAST = 0.02;

const LOW = 0.15;
const HIGH = 0.85;

type LevelAt = (day: number, minute: number) => number;

/** By local day and its minute. */
const OWN_LEVELS: Readonly<
  Record<Exclude<MetricPatternName, 'follows_cpu' | 'follows_memory' | 'follows_io'>, LevelAt>
> = {
  business_hours: (day, minute) =>
    isWeekend(day) ? LOW : LOW + (HIGH - LOW) * between(minute / 60, 9, 17, 0.75),
  nights: (_day, minute) => LOW + (HIGH - LOW) * night(minute / 60),
  fills_weekly: (day, minute) => 0.05 + 0.9 * weekFilled(day, minute),
  steady: () => 0.5,
};
