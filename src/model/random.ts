/**
 * Random streams. Each is named by what it is for, so any part of a dataset can be generated
 * without the rest.
 */
import seedrandom from 'seedrandom';

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
