/** Replies of the server to inserts. */
import { BSON, type Document } from 'mongodb';
import { MESSAGE_HEADER, OP_MSG } from './document-sequence.js';

/** Where the request that is answered is named; what comes before is the message's length and its own number. */
const ANSWERED = 8;
const AFTER_ANSWERED = 12;

/** Reads the replies of one connection. Most are the same but for their numbers: only one that differs from the last is decoded. */
export class ReplyReader {
  #last: { readonly message: Buffer; readonly document: Document } | undefined;

  /**
   * The document of a reply to request `requestId`. Not to be changed.
   * @throws Error where it is not such a reply
   */
  read(message: Buffer, requestId: number): Document {
    if (message.readInt32LE(ANSWERED) !== requestId) throw notAReply();
    if (!this.#last || !sameContent(message, this.#last.message)) {
      this.#last = { message, document: documentOf(message) };
    }
    return this.#last.document;
  }
}

function sameContent(a: Buffer, b: Buffer): boolean {
  return a.length === b.length && a.compare(b, AFTER_ANSWERED, b.length, AFTER_ANSWERED, a.length) === 0;
}

function documentOf(message: Buffer): Document {
  const isReply = message.readInt32LE(12) === OP_MSG && message.readInt32LE(16) === 0 && message[20] === 0;
  if (!isReply) throw notAReply();
  return BSON.deserialize(message.subarray(MESSAGE_HEADER));
}

function notAReply(): Error {
  return new Error('the server answered with a message that is no reply to the insert');
}
