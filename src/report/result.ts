/** The `--json` object. */
import type { LoadResult, LoadSummary } from './types.js';

/** Field by field, so that what a summary gains later does not leak into what scripts rely on. */
export function loadResult(summary: LoadSummary): LoadResult {
  const { window, assets, records, shards, loader, database, server } = summary;
  return {
    status: summary.status,
    runId: summary.runId,
    seed: summary.seed,
    layout: summary.layout,
    window: textOf(window),
    assets: {
      machines: assets.machines,
      services: assets.services,
      jobs: assets.jobs,
      total: assets.total,
    },
    records: {
      planned: records.planned,
      inserted: records.inserted,
      metrics: records.metrics,
      polling: records.polling,
      backup: records.backup,
    },
    shards: { total: shards.total, done: shards.done, skipped: shards.skipped },
    ...(summary.part ? { part: { number: summary.part.number, of: summary.part.of } } : {}),
    ...(summary.parts ? { parts: summary.parts.map(({ part, state }) => ({ part, state })) } : {}),
    ...(summary.expired ? { expired: summary.expired } : {}),
    ...(summary.beside
      ? {
          beside: summary.beside.map(({ runId, seed, state, window: theirs }) => ({
            runId,
            seed,
            state,
            window: textOf(theirs),
          })),
        }
      : {}),
    resumed: summary.resumed,
    elapsedMs: summary.elapsedMs,
    recordsPerSecond: summary.recordsPerSecond,
    loader: {
      cpuMs: loader.cpuMs,
      maxRssMb: loader.maxRssMb,
      workers: loader.workers,
      writer: loader.writer,
    },
    database: {
      name: database.name,
      collections: database.collections,
      dataSizeBytes: database.dataSizeBytes,
      storageSizeBytes: database.storageSizeBytes,
      indexSizeBytes: database.indexSizeBytes,
    },
    server: { version: server.version, embedded: server.embedded, uri: server.uri },
  };
}

function textOf({ start, end }: LoadSummary['window']): LoadResult['window'] {
  return { start: start.toISOString(), end: end.toISOString() };
}
