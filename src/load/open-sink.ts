/** Chooses the sink for a writer's name, falling back where the fast one cannot be had. */
import type { Db } from 'mongodb';
import type { WriterName } from '../config/settings.js';
import type { LoadedSequence } from './document-sequence.js';
import { BulkWriteSink, SequenceSink, type WriteConcernSetting } from './mongo-sinks.js';
import { nullSink, type Sink } from './sink.js';

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
  const writer = sequence.copies ? `sequence (copying: ${sequence.copies})` : name;
  return { sink: new SequenceSink(db, sequence.make, writeConcern), writer };
}
