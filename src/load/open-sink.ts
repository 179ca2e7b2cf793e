/** Chooses the sink for a writer's name, falling back where the fast one cannot be had. */
import type { Db } from 'mongodb';
import type { WriterName } from '../config/settings.js';
import { loadDocumentSequence, type MakeSequence } from './document-sequence.js';
import { BulkWriteSink, SequenceSink, type WriteConcernSetting } from './mongo-sinks.js';
import { pinConnections } from './pinned-connection.js';
import { nullSink, type Sink } from './sink.js';

/** How to send ready bytes, and why not over a held connection; a string is the reason why it cannot be done at all. */
export type LoadedSequence = { readonly make: MakeSequence; readonly unpinned: string | undefined } | string;

/** Prepares the driver of this thread for the fast writer; once for a thread. */
export async function loadSequence(): Promise<LoadedSequence> {
  try {
    const make = await loadDocumentSequence();
    const unpinned = await pinConnections(make).catch((error: Error) => error.message);
    return { make, unpinned: unpinned ?? undefined };
  } catch (error) {
    return (error as Error).message;
  }
}

/** A sink, and what it is called. */
export interface OpenedSink {
  readonly sink: Sink;
  readonly writer: string;
}

/** `writer` says which one was taken and, after a fallback, why. */
export function openSink(
  db: Db | undefined,
  name: WriterName,
  writeConcern: WriteConcernSetting,
  sequence: LoadedSequence,
): OpenedSink {
  if (!db || name === 'none') return { sink: nullSink, writer: 'none' };
  if (name === 'bulkwrite') return { sink: new BulkWriteSink(db, writeConcern), writer: name };
  if (typeof sequence === 'string') {
    return { sink: new BulkWriteSink(db, writeConcern), writer: `bulkwrite (${sequence})` };
  }
  const { make, unpinned } = sequence;
  if (unpinned === undefined) return { sink: new SequenceSink(db, writeConcern), writer: name };
  const writer = `sequence (a command for each insert: ${unpinned})`;
  return { sink: new SequenceSink(db, writeConcern, make), writer };
}
