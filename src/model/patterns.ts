/**
 * Random streams, and the nine load patterns, as the manual's chapter "Pattern di Performance"
 * describes them. A pattern is data: a base curve for each metric, how much it varies, and the
 * bursts that come on top. `machine-metrics.ts` turns it into values.
 *
 * All curves are functions of the hour of the local day (0 up to 24), in per cent.
 */
import seedrandom from 'seedrandom';
import type { MetricChange, PatternName } from '../fleet/types.js';
import { isWeekend, MINUTES_PER_DAY } from './local-time.js';

// Random streams. Each is named by what it is for, so any part of a dataset can be generated without
// the rest.

/** Uniform in [0, 1). */
export type Random = () => number;

/** Alea's first outputs still resemble those of a neighbouring key. */
const WARM_UP = 8;

/**
 * The stream of (seed, asset, series, day): seedrandom's Alea, the fastest of its generators (a few
 * nanoseconds a number, a microsecond to seed; its default, ARC4, takes ten times as long for
 * both).
 */
export function stream(seed: number, assetId: string, series: string, day: number): Random {
  return warmUp(seedrandom.alea(`${seed}/${assetId}/${series}/${day}`));
}

/** A stream that no seed enters: for what the plan must know, such as the minute of a backup. */
export function unseededStream(assetId: string, series: string, day: number): Random {
  return warmUp(seedrandom.alea(`${assetId}/${series}/${day}`));
}

function warmUp(random: Random): Random {
  for (let i = 0; i < WARM_UP; i++) random();
  return random;
}

/**
 * Fills `knots` with smooth noise for one day: uniform values in [-1, 1) at even distances, to be
 * joined by straight lines. The last knot is the next day's first, so that the noise runs on over
 * midnight whoever generates the two days.
 */
export function fillKnots(knots: Float64Array, today: Random, tomorrow: Random): void {
  const last = knots.length - 1;
  for (let i = 0; i < last; i++) knots[i] = 2 * today() - 1;
  knots[last] = 2 * tomorrow() - 1;
}

// Load patterns.

/** Curve of one metric on one kind of day. */
export type Curve = (hour: number) => number;

export interface DayCurves {
  readonly cpu: Curve;
  readonly memory: Curve;
  readonly io: Curve;
}

/** Something that happens a few times a day, at random. Adds to the base while it lasts. */
export interface Burst {
  /** Mean number a day; what exceeds a whole number is a probability. */
  readonly perDay: number;
  readonly weekdaysOnly: boolean;
  /** Hours between which it begins. */
  readonly from: number;
  readonly to: number;
  /** Shortest and longest duration in minutes. */
  readonly minutes: readonly [number, number];
  /** Most that is added to each metric, in points; a burst adds between half of it and all. */
  readonly cpu: number;
  readonly memory: number;
  readonly io: number;
}

/** Points by which each metric varies around its curve. */
export interface Variation {
  /** Slow: shared by the metrics of a machine, so that they rise and fall together. */
  readonly slow: readonly [cpu: number, memory: number, io: number];
  /** From minute to minute, independent. */
  readonly fast: readonly [cpu: number, memory: number, io: number];
  /** Minutes between the knots of the slow variation; a divisor of 1440. */
  readonly knotMinutes: number;
}

export interface Pattern {
  readonly weekday: DayCurves;
  readonly weekend: DayCurves;
  readonly variation: Variation;
  readonly bursts: readonly Burst[];
  /**
   * Every quarter of an hour in office hours CPU jumps by 25 points, to 95 at most (manual: "Picchi
   * ogni 15 minuti").
   */
  readonly quarterHourSpikes: boolean;
  /** Memory climbs through the week, and CPU and I/O with it. See `leak.ts`. */
  readonly leaks: boolean;
}

/** 1 between `from` and `to`, 0 outside, with straight ramps of `ramp` hours before and after. */
export function between(hour: number, from: number, to: number, ramp: number): number {
  const up = (hour - (from - ramp)) / ramp;
  const down = (to + ramp - hour) / ramp;
  return Math.max(0, Math.min(1, up, down));
}

/**
 * A peak of height 1 around `centre`, `width` hours to each side down to 0.6. Goes round midnight.
 */
function peak(hour: number, centre: number, width: number): number {
  const away = Math.abs(((hour - centre + 36) % 24) - 12);
  return Math.exp(-0.5 * (away / width) ** 2);
}

/** The manual's curve of office hours: 65 at 9:00 and 17:00, 85 at 13:00. */
function officeSine(hour: number): number {
  return 65 + 20 * Math.sin(((hour - 9) * Math.PI) / 8);
}

const flat =
  (level: number): Curve =>
  () =>
    level;

const CALM: Variation = { slow: [2, 1.5, 0.8], fast: [1, 0.4, 0.5], knotMinutes: 15 };

/** From the same curves on all days. */
function everyDay(curves: DayCurves): Pick<Pattern, 'weekday' | 'weekend'> {
  return { weekday: curves, weekend: curves };
}

const PLAIN = { bursts: [], quarterHourSpikes: false, leaks: false } as const;

export const PATTERNS: Readonly<Record<PatternName, Pattern>> = {
  stable_with_io_spikes: {
    ...PLAIN,
    ...everyDay({
      cpu: (h) => 14.6 + 6 * peak(h, 3, 0.4),
      memory: (h) => 34.5 + 10 * peak(h, 3, 0.4),
      io: (h) => 5 + 60 * peak(h, 3, 0.4),
    }),
    variation: CALM,
  },

  cpu_spikes_business_hours: {
    ...PLAIN,
    weekday: {
      cpu: (h) => {
        if (h >= 9 && h <= 17) return officeSine(h);
        return 16 + 49 * between(h, 9, 17, 0.75);
      },
      memory: (h) => 42 + 26 * between(h, 9, 17, 1),
      io: (h) => 5 + 14 * between(h, 9, 17, 0.75),
    },
    weekend: { cpu: flat(14), memory: flat(40), io: flat(4) },
    variation: { slow: [4, 2.5, 2], fast: [3, 0.6, 1.2], knotMinutes: 15 },
    quarterHourSpikes: true,
  },

  high_load_business_hours: {
    ...PLAIN,
    weekday: {
      cpu: (h) => Math.max(18 + 64 * between(h, 9, 17, 0.75), 18 + 27 * between(h, 18, 22, 0.5)),
      memory: (h) => 42 + 33 * between(h, 9, 17, 1) + 12 * between(h, 18, 22, 1),
      io: (h) => 6 + 22 * between(h, 9, 17, 0.75) + 9 * between(h, 18, 22, 0.5),
    },
    weekend: {
      cpu: (h) => 16 + 14 * between(h, 10, 22, 1.5),
      memory: (h) => 40 + 8 * between(h, 10, 22, 2),
      io: (h) => 5 + 5 * between(h, 10, 22, 1.5),
    },
    variation: { slow: [4, 2.5, 2.5], fast: [4, 0.6, 1.5], knotMinutes: 10 },
  },

  memory_leak_pattern: {
    ...PLAIN,
    weekday: {
      cpu: (h) => 18 + 14 * between(h, 9, 17, 1),
      memory: flat(0),
      io: (h) => 5 + 5 * between(h, 9, 17, 1),
    },
    weekend: { cpu: flat(16), memory: flat(0), io: flat(4) },
    variation: { slow: [3, 1.2, 1.2], fast: [2.5, 0.4, 0.8], knotMinutes: 15 },
    leaks: true,
  },

  volatile_load: {
    ...PLAIN,
    ...everyDay({
      cpu: (h) => 38 + 10 * between(h, 8, 20, 2),
      memory: flat(55),
      io: flat(14),
    }),
    variation: { slow: [38, 20, 12], fast: [4, 1.5, 2], knotMinutes: 6 },
    bursts: [
      { perDay: 14, weekdaysOnly: false, from: 0, to: 23.7, minutes: [3, 15], cpu: 50, memory: 22, io: 45 },
    ],
  },

  stable_low_load: {
    ...PLAIN,
    ...everyDay({ cpu: flat(8), memory: flat(24), io: flat(1.5) }),
    variation: { slow: [1.2, 1, 0.4], fast: [0.6, 0.2, 0.3], knotMinutes: 15 },
  },

  io_wait_nights: {
    ...PLAIN,
    ...everyDay({
      cpu: (h) => 14 + 50 * night(h),
      memory: (h) => 32 + 24 * night(h),
      io: (h) => 7 + 65 * night(h),
    }),
    variation: { slow: [5, 3, 7], fast: [4.5, 0.6, 4], knotMinutes: 15 },
  },

  development_pattern: {
    ...PLAIN,
    weekday: {
      cpu: (h) => 6 + 12 * between(h, 9, 18, 0.75),
      memory: (h) => 36 + 12 * between(h, 9, 18, 1),
      io: (h) => 3 + 4 * between(h, 9, 18, 0.75),
    },
    weekend: { cpu: flat(5), memory: flat(34), io: flat(2) },
    variation: { slow: [4, 3, 1.5], fast: [2, 0.5, 0.8], knotMinutes: 10 },
    bursts: [
      // Somebody at work.
      { perDay: 6, weekdaysOnly: true, from: 9, to: 17, minutes: [15, 60], cpu: 32, memory: 14, io: 8 },
      // A build or a deployment.
      { perDay: 7, weekdaysOnly: true, from: 9, to: 17.5, minutes: [4, 15], cpu: 45, memory: 18, io: 60 },
    ],
  },

  email_server_pattern: {
    ...PLAIN,
    weekday: {
      cpu: (h) =>
        12 + 30 * Math.max(between(h, 8, 10, 0.5), 0.9 * between(h, 13, 14, 0.4), between(h, 17, 19, 0.5)),
      memory: (h) => 45 + 10 * between(h, 8, 19, 1),
      io: (h) => 5 + 12 * Math.max(between(h, 8, 10, 0.5), between(h, 13, 14, 0.4), between(h, 17, 19, 0.5)),
    },
    weekend: { cpu: (h) => 9 + 3 * between(h, 9, 20, 1.5), memory: flat(42), io: flat(3.5) },
    variation: { slow: [2.5, 1.5, 1.5], fast: [2, 0.5, 1], knotMinutes: 15 },
  },
};

/** 1 between 22:00 and 06:00, with half-hour ramps outside. */
export function night(hour: number): number {
  return Math.max(between(hour, -2, 6, 0.5), between(hour, 22, 30, 0.5));
}

// The patterns' base curves, worked out once for every minute of a day.

/** One value a minute. Shared: never written to. */
export interface BaseCurves {
  readonly cpu: Float64Array;
  readonly memory: Float64Array;
  readonly io: Float64Array;
}

const known = new Map<string, BaseCurves>();

/** Base curves of a pattern on a day, without variation, bursts and leak. */
export function baseCurves(pattern: PatternName, day: number): BaseCurves {
  const kind = isWeekend(day) ? 'weekend' : 'weekday';
  const key = `${pattern}/${kind}`;
  let curves = known.get(key);
  if (!curves) {
    curves = sample(PATTERNS[pattern][kind]);
    known.set(key, curves);
  }
  return curves;
}

function sample(day: DayCurves): BaseCurves {
  const values = (curve: Curve) =>
    Float64Array.from({ length: MINUTES_PER_DAY }, (_, minute) => curve(minute / 60));
  return { cpu: values(day.cpu), memory: values(day.memory), io: values(day.io) };
}

// How a machine departs from its pattern.

/** The same, complete: `offset + scale × pattern`, with `variation` times the noise. */
export type Change = Required<MetricChange>;

const NONE: Change = { scale: 1, offset: 0, variation: 1 };

export function changeOf(change: MetricChange | undefined): Change {
  return change ? { ...NONE, ...change } : NONE;
}

/** A value of the pattern as the machine has it, in per cent. */
export function changed(value: number, scale: number, offset: number): number {
  return Math.min(100, Math.max(0, offset + scale * value));
}
