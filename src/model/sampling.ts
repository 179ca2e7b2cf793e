/**
 * When a series has samples, and what they are where the model, which knows every minute, does not
 * say it: between two minutes.
 *
 * The time of a sample is a tick: a whole number of minutes since the epoch, or of seconds in a
 * series that is sampled more often than once a minute.
 */
import type { Machine, Service } from '../fleet/types.js';
import { MINUTES_PER_DAY } from './local-time.js';
import { decimalsOf } from './machine-metrics.js';
import { type Random, stream } from './patterns.js';
import { SLOWEST_MS, TIMEOUT_MS } from './polling.js';

const SECONDS_PER_MINUTE = 60;
const MS_PER_SECOND = 1000;
const MS_PER_MINUTE = 60_000;

/** How the samples of a series lie in time. */
export interface Sampling {
  /** Ticks from one sample to the next. */
  readonly step: number;
  /** Milliseconds in a tick. */
  readonly tickMs: number;
  /** Most milliseconds that a sample comes after its tick. */
  readonly jitterMs: number;
  /** Of an asset: all its metrics are collected at once, and so late together. */
  readonly jitterSeed: number;
}

/** Of series without jitter. @param interval in seconds */
export function regularSampling(interval: number): Sampling {
  const tickMs = interval % SECONDS_PER_MINUTE === 0 ? MS_PER_MINUTE : MS_PER_SECOND;
  return { step: (interval * MS_PER_SECOND) / tickMs, tickMs, jitterMs: 0, jitterSeed: 0 };
}

/** The tick at which a minute begins. */
export function tickOfMinute({ tickMs }: Sampling, minute: number): number {
  return minute * (MS_PER_MINUTE / tickMs);
}

/** The instant of a sample, in milliseconds since the epoch. */
export function msOfTick({ tickMs, jitterMs, jitterSeed }: Sampling, tick: number): number {
  const ms = tick * tickMs;
  return jitterMs === 0 ? ms : ms + jitterAt(jitterSeed, ms / MS_PER_SECOND, jitterMs);
}

/**
 * The tick of the sample that an instant belongs to; not a whole number where no sample can be at
 * that instant.
 */
export function tickOfMs({ tickMs, jitterMs, step }: Sampling, ms: number): number {
  return jitterMs === 0 ? ms / tickMs : Math.floor(ms / tickMs / step) * step;
}

/**
 * From 0 to `most`, evenly spread: two rounds of multiplying and shifting (the finalizer of A.
 * Appleby's MurmurHash3).
 */
function jitterAt(seed: number, second: number, most: number): number {
  let hash = seed ^ second;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) % (most + 1);
}

/** Samples in [from, to), minutes since the epoch. @param interval in seconds */
export function sampleCount(interval: number, from: number, to: number): number {
  if (interval < SECONDS_PER_MINUTE) return (to - from) * (SECONDS_PER_MINUTE / interval);
  const step = interval / SECONDS_PER_MINUTE;
  return Math.ceil(to / step) - Math.ceil(from / step);
}

/** The first tick of a sample in a period that begins with a minute. */
export function firstTick(sampling: Sampling, minute: number): number {
  return Math.ceil(tickOfMinute(sampling, minute) / sampling.step) * sampling.step;
}

// Between two minutes. A load goes from one minute's value to the next one's, and wanders about that
// line; it is on it when the minute begins, so that samples of different intervals agree. A poll is
// as the minute's was: what was down or slow stays so.

/** Seconds between the corners of the wander. */
const CORNER = 5;
const CORNERS = SECONDS_PER_MINUTE / CORNER;
/** How much of a corner's distance is left at the next one. */
const KEPT = 0.7;
/** Shares of a load's range. */
const WANDER = 0.006;
const FINE = 0.002;
/** Share of a response time. */
const UNEVEN = 0.08;

/** Where the values of a series lie, and in what steps. */
interface Scale {
  readonly min: number;
  readonly max: number;
  readonly steps: number;
}

const PER_CENT: Scale = { min: 0, max: 100, steps: 100 };

/** Steps of a series' values in one of its unit: 100 where they have two decimals. */
export function valueSteps(asset: Machine | Service, metricName: string): number {
  return scaleOf(asset, metricName).steps;
}

function scaleOf(asset: Machine | Service, metricName: string): Scale {
  const own =
    asset.assetType === 'service' ? undefined : asset.metrics?.find(({ name }) => name === metricName);
  if (!own) return PER_CENT;
  const [min, max] = own.range;
  return { min, max, steps: 10 ** decimalsOf(max - min) };
}

/**
 * Fills a day of a series that is sampled every few seconds.
 * @param interval in seconds: less than a minute
 * @param minutes the day's values by the minute, and after them the next day's first one
 * @param samples takes the day's samples
 */
export function fillBetweenMinutes(
  { seed, asset, metricName, day }: SeriesDay,
  interval: number,
  minutes: Float64Array,
  samples: Float64Array,
): void {
  const perMinute = SECONDS_PER_MINUTE / interval;
  if (metricName === 'availability_status') {
    for (let i = 0; i < samples.length; i++) samples[i] = minutes[Math.floor(i / perMinute)];
    return;
  }
  const random = stream(seed, asset.assetId, `${metricName}/seconds`, day);
  if (metricName === 'response_time_ms') {
    fillPolls(interval, minutes, samples, random);
    return;
  }
  const fine = stream(seed, asset.assetId, `${metricName}/fine`, day);
  const corners = new Float64Array(CORNERS + 1);
  const { min, max, steps } = scaleOf(asset, metricName);
  const range = max - min;
  for (let minute = 0, i = 0; minute < MINUTES_PER_DAY; minute++) {
    for (let corner = 1; corner < CORNERS; corner++) {
      corners[corner] = KEPT * corners[corner - 1] + 2 * random() - 1;
    }
    const from = minutes[minute];
    const slope = (minutes[minute + 1] - from) / SECONDS_PER_MINUTE;
    samples[i++] = from;
    for (let second = interval; second < SECONDS_PER_MINUTE; second += interval, i++) {
      const corner = Math.floor(second / CORNER);
      const beyond = second % CORNER;
      let wander = corners[corner];
      let more = 0;
      if (beyond !== 0) {
        wander += ((corners[corner + 1] - wander) * beyond) / CORNER;
        more = FINE * (2 * fine() - 1);
      }
      const value = from + slope * second + range * (WANDER * wander + more);
      samples[i] = Math.min(max, Math.max(min, Math.round(value * steps) / steps));
    }
  }
}

/** What a day of a series is told apart by. */
export interface SeriesDay {
  readonly seed: number;
  readonly asset: Machine | Service;
  readonly metricName: string;
  /** UTC. */
  readonly day: number;
}

function fillPolls(interval: number, minutes: Float64Array, samples: Float64Array, random: Random): void {
  for (let i = 0, minute = 0; minute < MINUTES_PER_DAY; minute++) {
    const value = minutes[minute];
    samples[i++] = value;
    // Drawn for every second, so that samples of different intervals agree.
    for (let second = 1; second < SECONDS_PER_MINUTE; second++) {
      const factor = 1 + UNEVEN * (2 * random() - 1);
      if (second % interval !== 0) continue;
      samples[i++] =
        value >= TIMEOUT_MS ? value : Math.min(SLOWEST_MS, Math.round(value * factor * 100) / 100);
    }
  }
}
