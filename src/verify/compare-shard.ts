/** Compares one shard, as the model makes it, with what a database holds of it. */
import type { ClientSession, Db, Document } from 'mongodb';
import { type Batch, BatchBuffer, type Series } from '../encode/index.js';
import type { ShardSource } from '../load/source.js';
import type { Shard } from '../plan/index.js';
import { Comparison } from './comparison.js';
import { type Findings, noFindings } from './findings.js';
import { findRaw, type RawReply } from './raw-documents.js';
import { findSeries } from './stored-series.js';

export interface CompareInput {
  readonly source: ShardSource;
  readonly shard: Shard;
  readonly db: Db;
  readonly session: ClientSession;
  /** Flat layout: is given the planned documents that are there with other content. */
  readonly mend?: (documents: readonly Document[]) => Promise<void>;
}

/** What is planned of a series in [from, to): a batch, or nothing where a backup series has none there. */
interface Piece {
  readonly series: Series;
  readonly batch: Batch | undefined;
  readonly from: number;
  readonly to: number;
}

/** Reads the shard's series one after the other, each in time order, next to the model's own. */
export async function compareShard({ source, shard, db, session, mend }: CompareInput): Promise<Findings> {
  const { layout } = source.dataset;
  const findings = noFindings();
  const pieces = piecesOf(source, shard);
  const ask = async ({ series, from, to }: Piece): Promise<{ reply: RawReply } | { error: unknown }> =>
    findRaw(db, session, findSeries(layout, series, from, to)).then(
      (reply) => ({ reply }),
      (error: unknown) => ({ error }),
    );
  let asked = pieces.length > 0 ? ask(pieces[0]) : undefined;
  for (const [i, { series, batch }] of pieces.entries()) {
    const answer = await asked;
    // The server looks for the next piece while this one is compared.
    asked = i + 1 < pieces.length ? ask(pieces[i + 1]) : undefined;
    if (!answer) break;
    if ('error' in answer) throw answer.error;
    const comparison = new Comparison(layout, series, batch, findings);
    for (let reply: RawReply | undefined = answer.reply; reply; reply = await reply.more()) {
      reply.each((bytes, start, end) => comparison.add(bytes, start, end));
    }
    comparison.end();
    if (mend && comparison.different.length > 0) await mend(comparison.expectedDocuments());
  }
  return findings;
}

/** All series of the shard. A series whose documents are so large that they do not fit one batch is several pieces. */
function piecesOf(source: ShardSource, shard: Shard): Piece[] {
  const buffer = new BatchBuffer(0);
  const batches = new Map<string, Batch[]>(source.series.map(({ metricName }) => [metricName, []]));
  for (let batch = source.nextBatch(buffer); batch; batch = source.nextBatch(buffer)) {
    batches.get(batch.series.metricName)?.push(batch);
  }
  return source.series.flatMap((series): Piece[] => {
    const ofSeries = batches.get(series.metricName) ?? [];
    if (ofSeries.length === 0) return [{ series, batch: undefined, from: shard.from, to: shard.to }];
    return ofSeries.map((batch, i) => ({
      series,
      batch,
      from: i === 0 ? shard.from : batch.minutes[0],
      to: i + 1 < ofSeries.length ? ofSeries[i + 1].minutes[0] : shard.to,
    }));
  });
}
