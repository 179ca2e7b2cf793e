/** Chooses the sink for a writer's name, falling back where the fast one cannot be had. */
import type { Db } from 'mongodb';
import type { WriterName } from '../config/settings.js';
import { holdableConnections } from './driver/connection-type.js';
import { loadDocumentSequence, type MakeSequence } from './driver/document-sequence.js';
import type { DriverConnectionType } from './driver/internals.js';
import { BulkWriteSink, SequenceSink, type WriteConcernSetting } from './mongo-sinks.js';
import { nullSink, type Sink } from './sink.js';

/** How to send ready bytes, and over which connections of the driver. */
export interface Sequence {
  readonly make: MakeSequence;
  /** Of the client that sends; the message where this version of the driver's connections cannot be held. */
  readonly connectionType: DriverConnectionType | string;
}

/** A string is the reason why ready bytes cannot be sent. */
export type LoadedSequence = Sequence | string;

/** Prepares the driver of this thread for the fast writer; once for a thread. */
export async function loadSequence(): Promise<LoadedSequence> {
  try {
    const make = await loadDocumentSequence();
    const connectionType = await holdableConnections(make).catch((error: Error) => error.message);
    return { make, connectionType };
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
  const { make, connectionType } = sequence;
  if (connectsBy(connectionType, db)) return { sink: new SequenceSink(db, writeConcern), writer: name };
  const reason = typeof connectionType === 'string' ? connectionType : 'its connections are of another type';
  const writer = `sequence (a command for each insert: ${reason})`;
  return { sink: new SequenceSink(db, writeConcern, make), writer };
}

/** Whether a database's client makes connections of this type. */
function connectsBy(connectionType: Sequence['connectionType'], db: Db): boolean {
  const { options } = db.client as { options: { readonly connectionType?: unknown } };
  return options.connectionType === connectionType;
}
