/**
 * Connections of the driver that a {@link HeldConnection} can hold: a subclass, as the driver's own
 * for encryption is one.
 */
import { BSON, type Document, MongoNetworkError, MongoServerError } from 'mongodb';
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
import { HeldConnection, mayWrite, type Outcome, type Wire } from './held-connection.js';

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
