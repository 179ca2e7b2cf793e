/**
 * Inserts whose documents are bytes as they are.
 *
 * `DocumentSequence` and `OpMsgRequest` are internal to the driver
 * (`mongodb/lib/cmap/commands.js`): a section of a message that holds documents as they are, and
 * the message. Handing over ready bytes saves the driver from serialising every document. A batch's
 * buffer keeps room in front, where the message is completed, so that the very same bytes are
 * written.
 *
 * Because all of this is internal it is tested at start-up against what the driver itself would
 * send; where a test fails, the loader uses the next simpler way, in the end the public
 * `bulkWrite`.
 */
import { BSON, type Document } from 'mongodb';
import {
  type DriverCommands,
  type DriverSequence,
  loadDriverCommands,
} from '../../connect/driver-internals.js';

const FIELD = 'documents\0';
/** Section kind, length, and the field name with its terminator. */
const SECTION_HEADER = 1 + 4 + FIELD.length;
/**
 * Message length, request id, response id, opcode, flags; then the kind of the section that holds
 * the command.
 */
export const MESSAGE_HEADER = 4 * 4 + 4 + 1;
/** Of the message that commands and replies are sent in since MongoDB 3.6. */
export const OP_MSG = 2013;
/** Room for a command with session, cluster time and write concern. */
export const COMMAND_ROOM = 1024;

/** Bytes that a batch's buffer keeps free in front of its documents. */
export const SEQUENCE_HEADROOM = MESSAGE_HEADER + COMMAND_ROOM + SECTION_HEADER;

/**
 * Turns a buffer of `SEQUENCE_HEADROOM` free bytes and then BSON documents into the value of an
 * insert command's `documents`, for the driver to send. The buffer must stay as it is until the
 * command's reply has come.
 */
export type MakeSequence = (buffer: Buffer) => Document;

/**
 * Loads the driver's class and compares what it and {@link completeMessage} make with the driver's
 * own message; once for a thread.
 * @throws Error that says what this version of the driver does in another way
 */
export async function loadDocumentSequence(): Promise<MakeSequence> {
  const driver = await loadDriverCommands();
  const FilledSequence = filledSequence(driver.DocumentSequence);
  const make: MakeSequence = (buffer) => new FilledSequence(buffer) as unknown as Document;
  compareWithDriver(driver, make);
  return make;
}

function filledSequence(Base: DriverCommands['DocumentSequence']): new (buffer: Buffer) => DriverSequence {
  return class FilledSequence extends Base {
    constructor(readonly buffer: Buffer) {
      super('documents');
      writeSectionHeader(buffer);
    }

    override toBin(): Uint8Array {
      return this.buffer.subarray(SEQUENCE_HEADROOM - SECTION_HEADER);
    }
  };
}

function writeSectionHeader(buffer: Buffer): void {
  const start = SEQUENCE_HEADROOM - SECTION_HEADER;
  buffer[start] = 1;
  buffer.writeInt32LE(buffer.length - start - 1, start + 1);
  buffer.write(FIELD, start + 5, 'latin1');
}

/**
 * Completes the whole message of an insert in the room before its documents. A view of `buffer`.
 */
export function completeMessage(buffer: Buffer, command: Uint8Array, requestId: number): Buffer {
  writeSectionHeader(buffer);
  const message = buffer.subarray(SEQUENCE_HEADROOM - SECTION_HEADER - command.length - MESSAGE_HEADER);
  message.writeInt32LE(message.length, 0);
  message.writeInt32LE(requestId, 4);
  message.writeInt32LE(0, 8);
  message.writeInt32LE(OP_MSG, 12);
  message.writeInt32LE(0, 16);
  message[20] = 0;
  message.set(command, MESSAGE_HEADER);
  return message;
}

/** Sends nothing: compares messages of the same documents. */
function compareWithDriver(driver: DriverCommands, make: MakeSequence): void {
  const documents = [{ a: 1 }, { a: 2, b: 'x' }];
  const encoded = documents.map((document) => BSON.serialize(document));
  const reference = new driver.DocumentSequence('documents');
  for (const [i, document] of documents.entries()) reference.push(document, encoded[i]);
  const buffer = () => Buffer.concat([Buffer.alloc(SEQUENCE_HEADROOM), ...encoded]);
  const command = { insert: 'x', lsid: { id: 1 } };
  const message = (sequence: unknown) => {
    const whole = { ...command, documents: sequence };
    return Buffer.concat(new driver.OpMsgRequest('test', whole, { requestId: 1 }).toBin());
  };
  const expected = message(reference);
  const completed = completeMessage(buffer(), BSON.serialize({ ...command, $db: 'test' }), 1);
  if (!message(make(buffer())).equals(expected) || !completed.equals(expected)) {
    throw new Error('the driver sends other bytes than expected');
  }
}
