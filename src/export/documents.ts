/** What an export has besides records: the assets, and what happened when. Both are few. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { BSON } from 'mongodb';
import { csvLine, EVENT_COLUMNS, eventLine } from '../csv.js';
import { eventDocuments } from '../dataset/generate.js';
import { assetDocument } from '../encode/document.js';
import { allEvents } from '../model/events.js';
import { TelemetryModel } from '../model/telemetry-model.js';
import { instantOf } from '../plan/plan.js';
import { ASSET_INDEXES, EVENT_INDEXES, METRIC_INDEXES } from '../store/indexes.js';
import { ASSETS, EVENTS, METRICS } from '../store/names.js';
import { collectionOptions } from '../store/schema.js';
import type { ExportInput } from './export.js';

/**
 * The assets are few: one file, as the format has it; where the format has no nested fields,
 * Extended JSON.
 */
export async function writeAssets(
  input: ExportInput,
  folder: string,
): Promise<{ files: number; bytes: number }> {
  const { fleet, dataset, format, gzip, clustered } = input;
  const lastUpdated = instantOf(dataset.window.end);
  const documents = [...fleet.machines, ...fleet.services, ...fleet.jobs].map((asset) =>
    assetDocument(asset, lastUpdated),
  );
  const content =
    format === 'bson'
      ? Buffer.concat(documents.map((document) => BSON.serialize(document)))
      : Buffer.from(documents.map((document) => `${BSON.EJSON.stringify(document)}\n`).join(''));
  const files = new Map<string, Buffer>([[`${ASSETS}.${format === 'bson' ? 'bson' : 'ndjson'}`, content]]);
  if (format === 'bson') {
    const { layout } = dataset;
    files.set(`${ASSETS}.metadata.json`, metadata(ASSETS, {}, ASSET_INDEXES));
    files.set(
      `${METRICS}.metadata.json`,
      metadata(METRICS, collectionOptions({ layout, clustered, ttlDays: undefined }), METRIC_INDEXES[layout]),
    );
  }
  if (input.events) {
    for (const [name, data] of eventFiles(input)) files.set(name, data);
  }
  let bytes = 0;
  for (const [name, text] of files) {
    const data = gzip ? gzipSync(text) : text;
    await writeFile(join(folder, gzip ? `${name}.gz` : name), data, { mode: 0o600 });
    bytes += data.length;
  }
  return { files: files.size, bytes };
}

/** In the format of the records; of Parquet, whose table they would be too few for, as CSV. */
function eventFiles({ fleet, dataset, format }: ExportInput): [name: string, content: Buffer][] {
  if (format === 'csv' || format === 'parquet') {
    const model = new TelemetryModel(fleet, dataset.seed);
    const events = [...allEvents(model, dataset.window, dataset.sections)];
    const lines = events.map(({ start, end, ...event }) =>
      eventLine({ ...event, start: instantOf(start), end: instantOf(end) }),
    );
    return [[`${EVENTS}.csv`, Buffer.from([csvLine(EVENT_COLUMNS), ...lines].join(''))]];
  }
  const documents = [...eventDocuments(fleet, dataset)];
  if (format === 'ndjson') {
    const lines = documents.map((document) => `${BSON.EJSON.stringify(document)}\n`);
    return [[`${EVENTS}.ndjson`, Buffer.from(lines.join(''))]];
  }
  return [
    [`${EVENTS}.bson`, Buffer.concat(documents.map((document) => BSON.serialize(document)))],
    [`${EVENTS}.metadata.json`, metadata(EVENTS, {}, EVENT_INDEXES as { readonly key: object }[])],
  ];
}

/**
 * As mongodump writes it beside a collection's documents; mongorestore makes collection and indexes
 * of it.
 */
function metadata(name: string, options: object, indexes: readonly { readonly key: object }[]): Buffer {
  const named = indexes.map(({ key, ...rest }) => ({
    v: 2,
    key,
    name: Object.entries(key).flat().join('_'),
    ...rest,
  }));
  const own = { v: 2, key: { _id: 1 }, name: '_id_' };
  const all = 'timeseries' in options || 'clusteredIndex' in options ? named : [own, ...named];
  return Buffer.from(
    BSON.EJSON.stringify({ options, indexes: all, collectionName: name }, { relaxed: false }),
  );
}
