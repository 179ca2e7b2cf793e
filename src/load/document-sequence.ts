/**
 * The driver's own document sequence, filled with a whole batch at once.
 *
 * `DocumentSequence` is internal to the driver (`mongodb/lib/cmap/commands.js`): a section of an OP_MSG message that holds
 * documents as they are. Handing it ready bytes saves the driver from serialising every document. Because it is internal
 * it is tested at start-up against what the driver itself would send; where the test fails, the loader uses the public
 * `bulkWrite` instead.
 */
import { createRequire } from 'node:module';
import { BSON, type Document } from 'mongodb';

interface DriverSequence {
  push(document: Document, bytes: Uint8Array): number;
  toBin(): Uint8Array;
}

interface DriverCommands {
  readonly DocumentSequence: new (field: string) => DriverSequence;
  readonly OpMsgRequest: new (
    database: string,
    command: Document,
    options: { requestId: number },
  ) => { toBin(): Uint8Array[] };
}

/** Section kind, length, and the field name `documents` with its terminator. */
const FIELD = 'documents\0';
export const SEQUENCE_HEADROOM = 1 + 4 + FIELD.length;

/**
 * Turns a buffer of `SEQUENCE_HEADROOM` free bytes and then BSON documents into the value of an insert command's
 * `documents`. The buffer must stay as it is until the command's reply has come.
 */
export type MakeSequence = (bytes: Buffer) => Document;

/** Loads and tests the driver's class. A string is the reason why it cannot be used. */
export function loadDocumentSequence(): MakeSequence | string {
  try {
    const require = createRequire(import.meta.url);
    const commands = require('mongodb/lib/cmap/commands.js') as Partial<DriverCommands>;
    if (typeof commands.DocumentSequence !== 'function' || typeof commands.OpMsgRequest !== 'function') {
      return 'this version of the driver has no DocumentSequence';
    }
    const make = sequenceMaker(commands.DocumentSequence);
    return differsFromDriver(commands as DriverCommands, make) ?? make;
  } catch (error) {
    return `the driver's DocumentSequence cannot be loaded: ${(error as Error).message}`;
  }
}

function sequenceMaker(Base: DriverCommands['DocumentSequence']): MakeSequence {
  class FilledSequence extends Base {
    constructor(readonly bytes: Buffer) {
      super('documents');
      bytes[0] = 1;
      bytes.writeInt32LE(bytes.length - 1, 1);
      bytes.write(FIELD, 5, 'latin1');
    }

    override toBin(): Uint8Array {
      return this.bytes;
    }
  }
  return (bytes) => new FilledSequence(bytes) as unknown as Document;
}

/** Sends nothing: compares the message with the one the driver builds from the same documents by itself. */
function differsFromDriver(commands: DriverCommands, make: MakeSequence): string | undefined {
  const documents = [{ a: 1 }, { a: 2, b: 'x' }];
  const encoded = documents.map((document) => BSON.serialize(document));
  const reference = new commands.DocumentSequence('documents');
  for (const [i, document] of documents.entries()) reference.push(document, encoded[i]);
  const filled = make(Buffer.concat([Buffer.alloc(SEQUENCE_HEADROOM), ...encoded]));
  const message = (sequence: unknown) =>
    Buffer.concat(
      new commands.OpMsgRequest(
        'test',
        { insert: 'x', documents: sequence },
        {
          requestId: 1,
        },
      ).toBin(),
    );
  return message(filled).equals(message(reference))
    ? undefined
    : "the driver's DocumentSequence sends other bytes than expected";
}
