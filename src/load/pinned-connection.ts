/**
 * A connection of the driver's pool that is held for insert after insert.
 *
 * A command through the driver costs half a millisecond of CPU and more (bench/README.md): selecting a server, checking a connection
 * out and in, five layers of promises and generators, timers. A pinned connection is one `db.command` that does not end: the driver
 * selects, connects, authenticates and prepares the command (session, cluster time, write concern), and then a message is written
 * and a reply read for each insert. Whatever is not an ordinary reply ends the command, so that the driver handles it as it
 * would handle any: it learns of step-downs, clears its pool, labels the error.
 */
import type { EventEmitter } from 'node:events';
import { type Db, type Document, MongoNetworkError, MongoServerError } from 'mongodb';
import { COMMAND_ROOM, completeMessage, type MakeSequence } from './document-sequence.js';
import { ReplyReader } from './reply.js';
import { NotHeld } from './until-held.js';
import { mayWrite } from './write-gate.js';

interface DriverRequest {
  readonly command: Document;
  serializeBson(document: Document): Uint8Array;
}

/** Puts messages together from what the socket reads, and emits each of them as `data`; paused while nobody waits for one. */
interface MessageStream extends EventEmitter {
  resume(): void;
  pause(): void;
  /** Node's way of handing a `Transform` what was written to it; of the class, until an instance has its own. */
  _transform: Transform;
}

type Transform = (this: MessageStream, chunk: Buffer, encoding: string, callback: () => void) => void;

/** What is used of the driver's class `Connection` (`mongodb/lib/cmap/connection.js`). */
interface DriverConnection extends EventEmitter {
  readonly socket: { write(bytes: Uint8Array): boolean; setTimeout(ms: number): unknown };
  readonly messageStream: MessageStream;
  readonly description: { readonly compressor?: string };
  readonly error: Error | null;
  /** Set while a time-out is about to be taken seriously; what the socket reads takes it back. */
  readonly delayedTimeoutId: unknown;
  readonly shouldEmitAndLogCommand: boolean;
  /** 0: none. */
  readonly socketTimeoutMS: number;
  prepareCommand(database: string, command: Document, options: Document): DriverRequest;
  command: DriverCommand;
  /** Closes the connection. */
  onError(error: Error): void;
}

type DriverCommand = (
  this: DriverConnection,
  namespace: { readonly db: string },
  command: Document,
  options: Document,
  responseType?: unknown,
) => Promise<Document>;

/** Members without which a connection cannot be held. */
const NEEDED = ['command', 'prepareCommand', 'onError', 'shouldEmitAndLogCommand'] as const;

/** What the driver takes for the reply of a command that has ended well. */
const ENDED = { ok: 1, toObject: () => ({ ok: 1 }) };

interface Pending {
  readonly buffer: Buffer;
  readonly resolve: (reply: Document) => void;
  readonly reject: (error: unknown) => void;
}

/** Sends inserts one after the other over a connection that it holds; see {@link pinConnections}. */
export class PinnedConnection {
  /** False once the connection has gone back to the driver. */
  open = true;
  #send: ((buffer: Buffer) => void) | undefined;
  #giveBack: (() => void) | undefined;
  #pending: Pending | undefined;

  /** @param command of all inserts, without their documents */
  constructor(db: Db, command: Document) {
    const session = db.client.startSession({ causalConsistency: false });
    const ended = (error: unknown) => {
      this.#end(error);
      session.endSession().catch(() => undefined);
    };
    db.command({ ...command, documents: this }, { session }).then(
      () => ended(new Error('the connection is not held any more')),
      ended,
    );
  }

  /**
   * Inserts the documents of a buffer that has `SEQUENCE_HEADROOM` free bytes before them; one at a time. The buffer must stay as it is until the reply has come.
   * @throws what the driver says of a lost connection or an error reply; after that the connection is not held any more
   */
  send(buffer: Buffer): Promise<Document> {
    return new Promise((resolve, reject) => {
      this.#pending = { buffer, resolve, reject };
      this.#send?.(buffer);
    });
  }

  /** Gives the connection back to the driver. Not while an insert is under way. */
  release(): void {
    this.open = false;
    this.#giveBack?.();
  }

  /**
   * Called by the driver's connection in place of sending a command; what it returns is that command's outcome. Comes a second time
   * where the driver had to authenticate again.
   */
  hold(open: (outcome: Outcome) => Wire): Promise<Document> {
    // Released while the driver was still connecting.
    if (!this.open) return Promise.resolve(ENDED);
    return new Promise<Document>((resolve, reject) => {
      const release = () => {
        this.#send = undefined;
        this.#giveBack = undefined;
        wire.close();
      };
      const failed = (error: unknown) => {
        release();
        reject(error);
      };
      const wire = open({
        replied: (reply) => {
          if (reply.writeConcernError) {
            release();
            resolve(reply);
            return;
          }
          const pending = this.#pending;
          this.#pending = undefined;
          pending?.resolve(reply);
        },
        failed,
      });
      this.#send = (buffer) => (mayWrite() ? wire.send(buffer) : failed(new NotHeld()));
      this.#giveBack = () => {
        release();
        resolve(ENDED);
      };
      if (this.#pending) this.#send(this.#pending.buffer);
    });
  }

  #end(error: unknown): void {
    this.open = false;
    this.#pending?.reject(error);
  }
}

/** What became of the insert that was sent last, or of the connection. */
interface Outcome {
  readonly replied: (reply: Document) => void;
  readonly failed: (error: unknown) => void;
}

/** A way to send inserts over a connection, one at a time. */
interface Wire {
  send(buffer: Buffer): void;
  close(): void;
}

/**
 * Teaches the driver's connections of this thread to be held by a {@link PinnedConnection}; once for a thread.
 * @throws Error where this version of the driver has other connections
 */
export async function pinConnections(make: MakeSequence): Promise<void> {
  const { default: exported } = (await import('mongodb/lib/cmap/connection.js')) as {
    default: { readonly Connection?: { readonly prototype: DriverConnection } };
  };
  const prototype = exported.Connection?.prototype;
  if (!prototype || !NEEDED.every((name) => Object.hasOwn(prototype, name))) {
    throw new Error('this version of the driver has other connections');
  }
  const { command: send } = prototype;
  prototype.command = function (namespace, command, options, responseType) {
    const { documents } = command;
    if (!(documents instanceof PinnedConnection)) {
      if (command.insert !== undefined && !mayWrite()) return Promise.reject(new NotHeld());
      return send.call(this, namespace, command, options, responseType);
    }
    if (this.error) return Promise.reject(this.error);
    return documents.hold((outcome) => {
      const prepared = isPlain(this) ? preparedBytes(this, namespace.db, command, options) : undefined;
      if (prepared) return new SocketWire(this, prepared, outcome);
      const sendOne = (buffer: Buffer) =>
        send.call(this, namespace, { ...command, documents: make(buffer) }, options);
      return {
        send: (buffer) => void sendOne(buffer).then(outcome.replied, outcome.failed),
        close: () => undefined,
      };
    });
  };
}

/** The command as the driver would send it, without its documents; undefined where it is longer than a buffer has room for. */
function preparedBytes(
  connection: DriverConnection,
  database: string,
  command: Document,
  options: Document,
): Uint8Array | undefined {
  const request = connection.prepareCommand(database, command, options);
  const { documents, ...rest } = request.command;
  const bytes = request.serializeBson(rest);
  return bytes.length <= COMMAND_ROOM ? bytes : undefined;
}

/** A compressed connection, one whose commands somebody watches, and one that is made otherwise sends each insert in the driver's own way. */
function isPlain(connection: DriverConnection): boolean {
  const { description, messageStream, shouldEmitAndLogCommand, socket } = connection;
  const needed = [messageStream?.on, messageStream?.off, messageStream?._transform, socket?.write];
  const isKnown = needed.every((f) => typeof f === 'function');
  return isKnown && (description?.compressor ?? 'none') === 'none' && !shouldEmitAndLogCommand;
}

/**
 * Writes messages to the connection's socket, which TLS may be part of, and reads the replies. One that comes in one piece, as
 * nearly all do, is taken before the driver puts it together; a twentieth of the CPU of an insert of 1,000 records.
 */
class SocketWire implements Wire {
  #requestId = 0;
  readonly #replies = new ReplyReader();
  /** The driver's own. */
  readonly #assemble: Transform;
  /** True while the driver has the beginning of a message. */
  #begun = false;

  constructor(
    readonly connection: DriverConnection,
    readonly command: Uint8Array,
    readonly outcome: Outcome,
  ) {
    const { messageStream } = connection;
    this.#assemble = messageStream._transform;
    const wire = this;
    messageStream._transform = function (chunk, encoding, callback) {
      if (!wire.#isWhole(chunk)) {
        wire.#begun = true;
        wire.#assemble.call(this, chunk, encoding, callback);
        return;
      }
      callback();
      wire.#reply(chunk);
    };
    messageStream.on('data', this.#assembled);
    connection.on('close', this.#closed);
    messageStream.resume();
  }

  send(buffer: Buffer): void {
    const { socket, socketTimeoutMS } = this.connection;
    this.#requestId = (this.#requestId + 1) & 0x7fffffff;
    if (socketTimeoutMS > 0) socket.setTimeout(socketTimeoutMS);
    // Not waited for: the reply says that everything was taken.
    socket.write(completeMessage(buffer, this.command, this.#requestId));
  }

  close(): void {
    const { connection } = this;
    const { messageStream } = connection;
    messageStream._transform = this.#assemble;
    messageStream.off('data', this.#assembled);
    connection.off('close', this.#closed);
    messageStream.pause();
  }

  #isWhole(chunk: Buffer): boolean {
    if (this.#begun || this.connection.delayedTimeoutId != null) return false;
    return chunk.length >= 4 && chunk.readInt32LE(0) === chunk.length;
  }

  readonly #assembled = (message: Buffer): void => {
    this.#begun = false;
    this.#reply(message);
  };

  readonly #reply = (message: Buffer): void => {
    const { connection, outcome } = this;
    if (connection.socketTimeoutMS > 0) connection.socket.setTimeout(0);
    let reply: Document;
    try {
      reply = this.#replies.read(message, this.#requestId);
    } catch (error) {
      connection.onError(error as Error);
      return;
    }
    if (reply.ok === 1) outcome.replied(reply);
    else outcome.failed(new MongoServerError(reply as { message?: string }));
  };

  readonly #closed = (): void => {
    this.outcome.failed(this.connection.error ?? new MongoNetworkError('the connection is closed'));
  };
}
