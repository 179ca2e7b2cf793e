/**
 * A connection of the driver's pool that is held for insert after insert.
 *
 * A command through the driver costs half a millisecond of CPU and more (bench/README.md):
 * selecting a server, checking a connection out and in, five layers of promises and generators,
 * timers. A held connection is one `db.command` that does not end: the driver selects, connects,
 * authenticates and prepares the command (session, cluster time, write concern), and then a message
 * is written and a reply read for each insert. Whatever is not an ordinary reply ends the command,
 * so that the driver handles it as it would handle any: it learns of step-downs, clears its pool,
 * labels the error.
 */
import { BSON, type Db, type Document, MongoNetworkError, MongoServerError } from 'mongodb';
import {
  type DriverConnection,
  type DriverConnectionType,
  missingMember,
  steadyConnections,
} from '../../connect/driver-internals.js';
import { NotHeld } from '../../threads/counters.js';
import {
  COMMAND_ROOM,
  completeMessage,
  type MakeSequence,
  MESSAGE_HEADER,
  OP_MSG,
} from './document-sequence.js';

/** What the driver takes for the reply of a command that has ended well. */
const ENDED = { ok: 1, toObject: () => ({ ok: 1 }) };

interface Pending {
  readonly buffer: Buffer;
  readonly resolve: (reply: Document) => void;
  readonly reject: (error: unknown) => void;
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
 * Sends inserts one after the other over a connection of the type that `holdableConnections` makes.
 */
export class HeldConnection {
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
   * Inserts the documents of a buffer that has `SEQUENCE_HEADROOM` free bytes before them; one at a
   * time. The buffer must stay as it is until the reply has come.
   * @throws what the driver says of a lost connection or an error reply; after that the connection
   *   is not held any more
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
   * Called by the driver's connection in place of sending a command; what it returns is that
   * command's outcome. Comes a second time where the driver had to authenticate again.
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

// The last look before an insert leaves a loading thread. Between the decision to insert and the
// moment when its bytes go out the driver may have looked for a server for longer than a lease.

let held: () => boolean = () => true;

/** From now on nothing is inserted by this thread while `isHeld` says no. */
export function gateWrites(isHeld: () => boolean): void {
  held = isHeld;
}

/** Whether an insert may go out now. */
function mayWrite(): boolean {
  return held();
}

// Connections of the driver that a {@link HeldConnection} can hold: a subclass, as the driver's own
// for encryption is one.

/**
 * The class for a client's option `connectionType`. It does what the driver's own does, and lets a
 * {@link HeldConnection} hold it.
 * @throws Error where this version of the driver has other connections
 */
export async function holdableConnections(make: MakeSequence): Promise<DriverConnectionType> {
  const Base = await steadyConnections();
  return class HoldableConnection extends Base {
    override command(
      namespace: { readonly db: string },
      command: Document,
      options: Document,
      responseType?: unknown,
    ): Promise<Document> {
      const { documents } = command;
      if (!(documents instanceof HeldConnection)) {
        if (command.insert !== undefined && !mayWrite()) return Promise.reject(new NotHeld());
        return super.command(namespace, command, options, responseType);
      }
      if (this.error) return Promise.reject(this.error);
      return documents.hold((outcome) => {
        const prepared = isPlain(this) ? preparedBytes(this, namespace.db, command, options) : undefined;
        if (prepared) return new SocketWire(this, prepared, outcome);
        const sendOne = (buffer: Buffer) =>
          super.command(namespace, { ...command, documents: make(buffer) }, options);
        return {
          send: (buffer) => void sendOne(buffer).then(outcome.replied, outcome.failed),
          close: () => undefined,
        };
      });
    }
  };
}

/**
 * The command as the driver would send it, without its documents; undefined where a buffer has no
 * room for it.
 */
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

/**
 * Compressed connections, those with command monitoring, and unknown ones send each insert in the
 * driver's own way.
 */
function isPlain(connection: DriverConnection): boolean {
  if (missingMember(connection) !== undefined) return false;
  return (connection.description.compressor ?? 'none') === 'none' && !connection.shouldEmitAndLogCommand;
}

/**
 * Writes messages to the connection's socket, which TLS may be part of, and takes the replies that
 * the driver puts together.
 */
class SocketWire implements Wire {
  #requestId = 0;

  constructor(
    readonly connection: DriverConnection,
    readonly command: Uint8Array,
    readonly outcome: Outcome,
  ) {
    const { messageStream } = connection;
    messageStream.on('data', this.#reply);
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
    connection.messageStream.off('data', this.#reply);
    connection.off('close', this.#closed);
    connection.messageStream.pause();
  }

  readonly #reply = (message: Buffer): void => {
    const { connection, outcome } = this;
    if (connection.socketTimeoutMS > 0) connection.socket.setTimeout(0);
    const reply = replyTo(message, this.#requestId);
    if (!reply) {
      connection.onError(new Error('the server answered with a message that is no reply to the insert'));
    } else if (reply.ok === 1) outcome.replied(reply);
    else outcome.failed(new MongoServerError(reply as { message?: string }));
  };

  readonly #closed = (): void => {
    this.outcome.failed(this.connection.error ?? new MongoNetworkError('the connection is closed'));
  };
}

/** The document of a message that answers a request; undefined where it is no such reply. */
function replyTo(message: Buffer, requestId: number): Document | undefined {
  const isReply =
    message.readInt32LE(8) === requestId &&
    message.readInt32LE(12) === OP_MSG &&
    message.readInt32LE(16) === 0 &&
    message[20] === 0;
  return isReply ? BSON.deserialize(message.subarray(MESSAGE_HEADER)) : undefined;
}
