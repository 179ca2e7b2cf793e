/**
 * The driver's own document sequence, filled with a whole batch at once, and sent without being copied.
 *
 * `DocumentSequence` and `OpMsgRequest` are internal to the driver (`mongodb/lib/cmap/commands.js`): a section of a message that
 * holds documents as they are, and the message. Handing over ready bytes saves the driver from serialising every
 * document. The driver would still copy them twice on their way to the socket; these copies are cheap, but their
 * memory makes the garbage collector run ten times as often, for a quarter of the loader's CPU. So the batch's buffer
 * keeps room in front, the message is completed there, and the very same bytes are written.
 *
 * Because all of this is internal it is tested at start-up against what the driver itself would send; where a test
 * fails, the loader uses the next simpler way, in the end the public `bulkWrite`.
 */
import { BSON, type Document } from 'mongodb';

interface DriverSequence {
  push(document: Document, bytes: Uint8Array): number;
  toBin(): Uint8Array;
}

interface DriverRequest {
  readonly command: Document;
  readonly requestId: number;
  toBin(): Uint8Array[];
  serializeBson(document: Document): Uint8Array;
}

interface DriverCommands {
  readonly DocumentSequence: new (field: string) => DriverSequence;
  readonly OpMsgRequest: new (
    database: string,
    command: Document,
    options: { requestId: number },
  ) => DriverRequest;
}

interface DriverBytes {
  concat(parts: Uint8Array[]): Uint8Array;
}

const FIELD = 'documents\0';
/** Section kind, length, and the field name with its terminator. */
const SECTION_HEADER = 1 + 4 + FIELD.length;
/** Message length, request id, response id, opcode, flags; then the kind of the section that holds the command. */
const MESSAGE_HEADER = 4 * 4 + 4 + 1;
const OP_MSG = 2013;
/** Room for a command with session, cluster time and write concern; a larger one is sent with copies. */
const COMMAND_ROOM = 1024;

/** Bytes that a batch's buffer keeps free in front of its documents. */
export const SEQUENCE_HEADROOM = MESSAGE_HEADER + COMMAND_ROOM + SECTION_HEADER;

/**
 * Turns a buffer of `SEQUENCE_HEADROOM` free bytes and then BSON documents into the value of an insert command's
 * `documents`. The buffer must stay as it is until the command's reply has come.
 */
export type MakeSequence = (buffer: Buffer) => Document;

/** `make` is how to send a batch; a string is the reason why that cannot be done. `copies` says why bytes are copied after all. */
export type LoadedSequence = { readonly make: MakeSequence; readonly copies: string | undefined } | string;

let loaded: Promise<LoadedSequence> | undefined;

/** Loads, tests and prepares the driver's classes; once for a thread. */
export function loadDocumentSequence(): Promise<LoadedSequence> {
  loaded ??= load();
  return loaded;
}

async function load(): Promise<LoadedSequence> {
  try {
    // Imported by name, so that a bundler takes the very module that the driver uses as well.
    const { default: commands } = (await import('mongodb/lib/cmap/commands.js')) as {
      default: Partial<DriverCommands>;
    };
    if (typeof commands.DocumentSequence !== 'function' || typeof commands.OpMsgRequest !== 'function') {
      return 'this version of the driver has no DocumentSequence';
    }
    const driver = commands as DriverCommands;
    const FilledSequence = filledSequence(driver.DocumentSequence);
    const make: MakeSequence = (buffer) => new FilledSequence(buffer) as unknown as Document;
    const wrong = differsFromDriver(driver, make);
    if (wrong) return wrong;

    const { default: bytes } = (await import('mongodb/lib/bson.js')) as {
      default: { ByteUtils?: DriverBytes };
    };
    const { ByteUtils } = bytes;
    if (
      typeof ByteUtils?.concat !== 'function' ||
      typeof driver.OpMsgRequest.prototype.serializeBson !== 'function'
    ) {
      return { make, copies: 'this version of the driver builds its messages in another way' };
    }
    const undo = sendInPlace(driver, ByteUtils, FilledSequence);
    const copies = differsFromDriver(driver, make);
    if (copies) undo();
    return { make, copies };
  } catch (error) {
    return `the driver's DocumentSequence cannot be used: ${(error as Error).message}`;
  }
}

type FilledSequenceClass = new (buffer: Buffer) => DriverSequence & { readonly buffer: Buffer };

function filledSequence(Base: DriverCommands['DocumentSequence']): FilledSequenceClass {
  return class FilledSequence extends Base {
    constructor(readonly buffer: Buffer) {
      super('documents');
      const start = SEQUENCE_HEADROOM - SECTION_HEADER;
      buffer[start] = 1;
      buffer.writeInt32LE(buffer.length - start - 1, start + 1);
      buffer.write(FIELD, start + 5, 'latin1');
    }

    override toBin(): Uint8Array {
      return this.buffer.subarray(SEQUENCE_HEADROOM - SECTION_HEADER);
    }
  };
}

/** A message that is one piece already: the driver's concatenation hands it on instead of copying it. */
class WholeMessage extends Array<Uint8Array> {}

/** Makes the driver complete a filled sequence's message inside the sequence's own buffer. Returns how to undo that. */
function sendInPlace(driver: DriverCommands, bytes: DriverBytes, Filled: FilledSequenceClass): () => void {
  const prototype = driver.OpMsgRequest.prototype;
  const { toBin } = prototype;
  const { concat } = bytes;
  bytes.concat = (parts) => (parts instanceof WholeMessage ? parts[0] : concat.call(bytes, parts));
  prototype.toBin = function (this: DriverRequest): Uint8Array[] {
    const { documents, ...command } = this.command;
    if (!(documents instanceof Filled) || command.writeConcern?.w === 0) return toBin.call(this);
    const encoded = this.serializeBson(command);
    if (encoded.length > COMMAND_ROOM) return toBin.call(this);
    const start = SEQUENCE_HEADROOM - SECTION_HEADER - encoded.length - MESSAGE_HEADER;
    const message = documents.buffer.subarray(start);
    message.writeInt32LE(message.length, 0);
    message.writeInt32LE(this.requestId, 4);
    message.writeInt32LE(0, 8);
    message.writeInt32LE(OP_MSG, 12);
    message.writeInt32LE(0, 16);
    message[20] = 0;
    message.set(encoded, MESSAGE_HEADER);
    return WholeMessage.of(message);
  };
  return () => {
    bytes.concat = concat;
    prototype.toBin = toBin;
  };
}

/** Sends nothing: compares the message with the one the driver builds from the same documents by itself. */
function differsFromDriver(driver: DriverCommands, make: MakeSequence): string | undefined {
  const documents = [{ a: 1 }, { a: 2, b: 'x' }];
  const encoded = documents.map((document) => BSON.serialize(document));
  const reference = new driver.DocumentSequence('documents');
  for (const [i, document] of documents.entries()) reference.push(document, encoded[i]);
  const filled = make(Buffer.concat([Buffer.alloc(SEQUENCE_HEADROOM), ...encoded]));
  const message = (sequence: unknown) => {
    const command = { insert: 'x', documents: sequence, lsid: { id: 1 } };
    return Buffer.concat(new driver.OpMsgRequest('test', command, { requestId: 1 }).toBin());
  };
  return message(filled).equals(message(reference))
    ? undefined
    : 'the driver sends other bytes than expected';
}
