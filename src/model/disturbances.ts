/**
 * What goes wrong with measuring, as a fleet file asks for it: when a series has no samples, which
 * of them are wrong and by how much, which arrive late or twice. No seed decides that: the plan
 * counts records and knows none.
 */
import type { Disturbance, Machine, Service } from '../fleet/types.js';
import { MINUTES_PER_DAY } from './local-time.js';
import { unseededStream } from './patterns.js';

/** Minutes since the epoch, half open. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

type Asset = Machine | Service;

/** Kinds that change values, and so say nothing of a state. */
const OF_VALUES: readonly Disturbance['kind'][] = ['flatline', 'spike', 'drift', 'level_shift'];
/** Series that a kind of {@link OF_VALUES} does not change unless it is named. */
const POLLS = ['availability_status', 'response_time_ms'];

/** Whether an asset's series are anything but a sample an interval, as the model has it. */
export function hasDisturbances({ from, until, disturbances }: Machine | Service): boolean {
  return from !== undefined || until !== undefined || disturbances !== undefined;
}

/** Whether a disturbance of an asset concerns one of its series. */
export function concerns({ kind, metrics }: Disturbance, metricName: string): boolean {
  if (metrics) return metrics.includes(metricName);
  return !(OF_VALUES.includes(kind) && POLLS.includes(metricName));
}

/** When a disturbance happens to an asset, in a window and as far as it reaches beyond it. */
export function occurrences(asset: Asset, disturbance: Disturbance, { start, end }: Span): Span[] {
  const { when, place } = disturbance;
  if ('start' in when) return when.start < end && when.end > start ? [when] : [];
  const found: Span[] = [];
  // One that began the day before may go on; none is longer than a day.
  const last = Math.floor((end - 1) / MINUTES_PER_DAY);
  for (let day = Math.floor(start / MINUTES_PER_DAY) - 1; day <= last; day++) {
    const random = unseededStream(asset.assetId, `disturbance ${place}`, day);
    const whole = Math.floor(when.perDay);
    const times = whole + (random() < when.perDay - whole ? 1 : 0);
    for (let i = 0; i < times; i++) {
      const from = day * MINUTES_PER_DAY + Math.floor(random() * MINUTES_PER_DAY);
      const to = from + when.minutes;
      if (from < end && to > start) found.push({ start: from, end: to });
    }
  }
  return found;
}

/** The occurrences of all disturbances of some kinds that concern a series, by their start. */
function ofSeries(
  asset: Asset,
  metricName: string,
  kinds: readonly Disturbance['kind'][],
  window: Span,
): (Span & { readonly disturbance: Disturbance })[] {
  return (asset.disturbances ?? [])
    .filter((one) => kinds.includes(one.kind) && concerns(one, metricName))
    .flatMap((disturbance) =>
      occurrences(asset, disturbance, window).map((span) => ({ ...span, disturbance })),
    )
    .sort((a, b) => a.start - b.start);
}

/** When a series has samples: the parts of a window in which its asset is there and not silent. */
export function sampledSpans(asset: Asset, metricName: string, window: Span): readonly Span[] {
  const there = existence(asset, window);
  if (!there) return [];
  if (!asset.disturbances) return [there];
  return without(there, ofSeries(asset, metricName, ['gap'], there));
}

/** The part of a window in which an asset is there. */
export function existence({ from, until }: Asset, { start, end }: Span): Span | undefined {
  const there = { start: Math.max(start, from ?? start), end: Math.min(end, until ?? end) };
  return there.start < there.end ? there : undefined;
}

/** When a series' samples arrive twice, where it has any. */
export function doubledSpans(asset: Asset, metricName: string, window: Span): readonly Span[] {
  if (!asset.disturbances) return [];
  const doubled = union(ofSeries(asset, metricName, ['duplicate'], window), window);
  if (doubled.length === 0) return [];
  return doubled.flatMap((span) => sampledSpans(asset, metricName, span));
}

/** Minutes by which the samples of a series arrive late: by spans, in the order of time. */
export function delays(
  asset: Asset,
  metricName: string,
  window: Span,
): readonly (Span & { readonly minutes: number })[] {
  return ofSeries(asset, metricName, ['late'], window).map(({ start, end, disturbance }) => ({
    start,
    end,
    minutes: disturbance.delayMinutes ?? 0,
  }));
}

/** What is wrong with a series' values. */
export interface WrongValues extends Span {
  readonly kind: 'flatline' | 'spike' | 'drift' | 'level_shift';
  /** In the unit of the series; 0 of a flatline. */
  readonly by: number;
}

/** In the order in which they are applied: by their start. */
export function wrongValues(asset: Asset, metricName: string, window: Span): WrongValues[] {
  if (!asset.disturbances) return [];
  return ofSeries(asset, metricName, OF_VALUES, window).map(({ start, end, disturbance }) => ({
    kind: disturbance.kind as WrongValues['kind'],
    by: disturbance.by ?? 0,
    start,
    end,
  }));
}

/**
 * A value as it is stored while something is wrong.
 * @param minute of the sample, not necessarily whole
 * @param stuck the value at the beginning of a flatline
 * @param steps that the series' values have in one of its unit
 */
export function wrongValue(
  { kind, by, start, end }: WrongValues,
  value: number,
  minute: number,
  stuck: number,
  steps: number,
): number {
  if (kind === 'flatline') return stuck;
  const more = kind === 'drift' ? (by * (minute - start)) / (end - start) : by;
  return Math.round((value + more) * steps) / steps;
}

function union(spans: readonly Span[], { start, end }: Span): Span[] {
  const joined: { start: number; end: number }[] = [];
  for (const span of spans) {
    const [from, to] = [Math.max(span.start, start), Math.min(span.end, end)];
    const last = joined[joined.length - 1];
    if (last && from <= last.end) last.end = Math.max(last.end, to);
    else if (from < to) joined.push({ start: from, end: to });
  }
  return joined;
}

function without(window: Span, taken: readonly Span[]): Span[] {
  const left: Span[] = [];
  let from = window.start;
  for (const { start, end } of union(taken, window)) {
    if (start > from) left.push({ start: from, end: start });
    from = end;
  }
  if (from < window.end) left.push({ start: from, end: window.end });
  return left;
}
