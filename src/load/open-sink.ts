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
  const unpinned = sequence.unpinned ?? cannotPin(db, writeConcern);
  const sink = new SequenceSink(db, writeConcern, unpinned === undefined ? undefined : sequence.make);
  return { sink, writer: unpinned ? `sequence (a command for each insert: ${unpinned})` : name };
}

/** Settings that mean a single command. */
function cannotPin({ client }: Db, writeConcern: WriteConcernSetting): string | undefined {
  // The driver's limit to the time of a whole operation.
  if (client.options.timeoutMS !== undefined) return 'timeoutMS is set';
  // There is no reply to wait for.
  return writeConcern === 0 ? 'writes are not acknowledged' : undefined;
}
