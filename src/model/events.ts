/**
 * What is true about a dataset beside its records: why an asset was not up, which backups failed,
 * and what went wrong with measuring.
 */
import type { Disturbance, Fleet, Machine, Service } from '../fleet/types.js';
import { concerns, existence, occurrences, type Span } from './disturbances.js';
import { type LocalTime, MINUTES_PER_DAY } from './local-time.js';
import { isDegradedByMemory } from './machine-metrics.js';
import { incidentOf, RECOVERY } from './polling.js';
import { type SeriesDefinition, sampledSeries, type TelemetryModel } from './telemetry-model.js';

/**
 * `fault`: of the asset itself. `recovery`: it is back after a fault, but slow. `planned`: a window
 * of maintenance. `memory`: a leak fills the memory of its host. `host`: its machine is not up.
 */
export type Cause = 'fault' | 'recovery' | 'planned' | 'memory' | 'host';

export interface Outage extends Span {
  readonly kind: 'down' | 'degraded';
  readonly assetId: string;
  readonly cause: Cause;
}

export interface FailedBackup extends Span {
  readonly kind: 'failed backup';
  readonly assetId: string;
}

/** What a fleet file asks for; `absent`: the asset has not come yet, or has gone. */
export interface Disturbed extends Span {
  readonly kind: Disturbance['kind'] | 'absent';
  readonly assetId: string;
  /** Those that it concerns; of `absent`, none: it is all. */
  readonly metrics: readonly string[];
}

/**
 * Where several overlap, availability shows the worst of them: the minutes below 100 are those of
 * all events together, and what is down in one of them is down.
 */
export type TrueEvent = Outage | FailedBackup | Disturbed;

/**
 * The events of an asset in a window of minutes since the epoch, half open: by their start, and cut
 * where the window ends.
 * @param hosts machines by their id
 */
export function eventsOf(
  model: TelemetryModel,
  asset: Machine | Service,
  hosts: ReadonlyMap<string, Machine>,
  window: Span,
): TrueEvent[] {
  const outages = ownOutages(model.seed, asset, window);
  if (asset.assetType === 'service') {
    const host = hosts.get(asset.hostId);
    for (const { kind, start, end } of host ? ownOutages(model.seed, host, window) : []) {
      outages.push({ kind, assetId: asset.assetId, cause: 'host', start, end });
    }
    outages.push(...calendarOutages(asset, model.local, window));
  }
  const there = existence(asset, window);
  const events: TrueEvent[] = there ? outages.flatMap((event) => clipped(event, there)) : [];
  events.push(...disturbed(asset, window));
  if (asset.assetType !== 'service') {
    for (const { minute, success } of model.backups(asset, window.start, window.end)) {
      if (success) continue;
      events.push({ kind: 'failed backup', assetId: asset.assetId, start: minute, end: minute + 1 });
    }
  }
  return events.sort((a, b) => a.start - b.start || a.end - b.end);
}

/**
 * Those of all assets, asset by asset, that show in the records of these sections: polling has
 * outages, backups have their failures.
 */
export function* allEvents(
  model: TelemetryModel,
  window: Span,
  sections: readonly SeriesDefinition['section'][],
): Generator<TrueEvent> {
  const { machines, services }: Pick<Fleet, 'machines' | 'services'> = model.fleet;
  const hosts = new Map(machines.map((machine) => [machine.assetId, machine]));
  for (const asset of [...machines, ...services]) {
    for (const event of eventsOf(model, asset, hosts, window)) {
      if (sectionsOf(event, asset).some((section) => sections.includes(section))) yield event;
    }
  }
}

/** The sections in whose records an event shows. */
function sectionsOf(event: TrueEvent, asset: Machine | Service): readonly SeriesDefinition['section'][] {
  if (event.kind === 'failed backup') return ['backup'];
  if (event.kind === 'down' || event.kind === 'degraded') return ['polling'];
  const { metrics } = event as Disturbed;
  if (event.kind === 'absent') return ['metrics', 'polling', 'backup'];
  return sampledSeries(asset)
    .filter(({ metricName }) => metrics.includes(metricName))
    .map(({ section }) => section);
}

function disturbed(asset: Machine | Service, window: Span): Disturbed[] {
  const { assetId, disturbances = [] } = asset;
  const there = existence(asset, window);
  const absences = [
    { start: window.start, end: there?.start ?? window.end },
    { start: there?.end ?? window.end, end: window.end },
  ];
  const found: Disturbed[] = absences
    .filter(({ start, end }) => start < end)
    .map((span) => ({ kind: 'absent', assetId, metrics: [], ...span }));
  if (!there) return found;
  const names = sampledSeries(asset).map(({ metricName }) => metricName);
  for (const disturbance of disturbances) {
    const { kind } = disturbance;
    const metrics = names.filter((name) => concerns(disturbance, name));
    if (metrics.length === 0) continue;
    for (const span of occurrences(asset, disturbance, there)) {
      found.push(...clipped({ kind, assetId, metrics, ...span }, there));
    }
  }
  return found;
}

function ownOutages(seed: number, asset: Machine | Service, { start, end }: Span): Outage[] {
  const { assetId } = asset;
  const outages: Outage[] = [];
  // One that began the day before may go on.
  const last = Math.floor((end - 1) / MINUTES_PER_DAY);
  for (let day = Math.floor(start / MINUTES_PER_DAY) - 1; day <= last; day++) {
    const incident = incidentOf(seed, asset, day);
    if (!incident) continue;
    const [down, up] = [incident.start, incident.end].map((minute) => day * MINUTES_PER_DAY + minute);
    if (up > down) outages.push({ kind: 'down', assetId, cause: 'fault', start: down, end: up });
    outages.push({ kind: 'degraded', assetId, cause: 'recovery', start: up, end: up + RECOVERY });
  }
  return outages;
}

/** What the local calendar alone decides. */
function calendarOutages(service: Service, local: LocalTime, window: Span): Outage[] {
  const { assetId, plannedDowntime: planned, degradesWithMemory } = service;
  const isPlanned = ({ from, to }: { from: number; to: number }, minute: number) =>
    from < to ? minute >= from && minute < to : minute < to || minute >= from;
  const outages: Outage[] = [];
  if (planned) {
    const spans = spansWhere(local, window, (_day, minute) => isPlanned(planned, minute));
    for (const span of spans) outages.push({ kind: 'down', assetId, cause: 'planned', ...span });
  }
  if (degradesWithMemory) {
    const spans = spansWhere(local, window, isDegradedByMemory);
    for (const span of spans) outages.push({ kind: 'degraded', assetId, cause: 'memory', ...span });
  }
  return outages;
}

/** The longest spans of the window in whose minutes the local clock shows what is asked for. */
function spansWhere(
  local: LocalTime,
  { start, end }: Span,
  is: (localDay: number, minute: number) => boolean,
): Span[] {
  const spans: Span[] = [];
  let since: number | undefined;
  for (let day = Math.floor(start / MINUTES_PER_DAY); day * MINUTES_PER_DAY < end; day++) {
    for (const { from, to, day: localDay, minute } of local.stretches(day)) {
      for (let i = from; i < to; i++) {
        const now = day * MINUTES_PER_DAY + i;
        if (now < start || now >= end) continue;
        if (is(localDay, minute + i - from)) since ??= now;
        else if (since !== undefined) {
          spans.push({ start: since, end: now });
          since = undefined;
        }
      }
    }
  }
  if (since !== undefined) spans.push({ start: since, end });
  return spans;
}

function clipped<T extends Span>(event: T, window: Span): T[] {
  const start = Math.max(event.start, window.start);
  const end = Math.min(event.end, window.end);
  return start < end ? [{ ...event, start, end }] : [];
}
