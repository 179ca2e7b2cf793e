/** One series of one run: everything its documents share. */
import { createHash } from 'node:crypto';
import type { Section } from '../config/settings.js';
import type { AssetType } from '../fleet/types.js';

export interface Series {
  readonly assetId: string;
  readonly assetType: AssetType;
  readonly metricName: string;
  readonly unit: string;
  readonly section: Section;
  readonly environment: string;
  /** First eight bytes of every `_id` of the series. */
  readonly idPrefix: Uint8Array;
}

/**
 * The eight bytes that a series' `_id`s begin with: SHA-256 of seed, asset and metric, cut. Two of a million series
 * collide with a probability of 3 in 10⁸.
 */
export function seriesIdPrefix(seed: number, assetId: string, metricName: string): Uint8Array {
  return createHash('sha256').update(`${seed}\n${assetId}\n${metricName}`).digest().subarray(0, 8);
}
