/**
 * Everything of the driver's inside that this program uses, in one place. The driver documents none
 * of it, so its version is exact in `package.json`, each member is looked for before it is used,
 * and a test fails by name when an upgrade changes one.
 */
import type { EventEmitter } from 'node:events';
import { type Document, MongoNetworkError } from 'mongodb';

/** A field of a command whose documents are bytes already (`mongodb/lib/cmap/commands.js`). */
export interface DriverSequence {
  push(document: Document, bytes: Uint8Array): number;
  toBin(): Uint8Array;
}

export interface DriverCommands {
  readonly DocumentSequence: new (field: string) => DriverSequence;
  readonly OpMsgRequest: new (
    database: string,
    command: Document,
    options: { requestId: number },
  ) => { toBin(): Uint8Array[] };
}

export interface DriverRequest {
  readonly command: Document;
  serializeBson(document: Document): Uint8Array;
}

/**
 * Puts messages together from what the socket reads, and emits each as `data`; paused while nobody
 * waits for one.
 */
interface MessageStream extends EventEmitter {
  resume(): void;
  pause(): void;
}

/** A connection of the driver's pool (`mongodb/lib/cmap/connection.js`). */
export interface DriverConnection extends EventEmitter {
  readonly socket: { write(bytes: Uint8Array): boolean; setTimeout(ms: number): unknown };
  readonly messageStream: MessageStream;
  readonly description: { readonly compressor?: string };
  /** What ended the connection; null while it is open. */
  readonly error: Error | null;
  readonly shouldEmitAndLogCommand: boolean;
  /** 0: none. */
  readonly socketTimeoutMS: number;
  prepareCommand(database: string, command: Document, options: Document): DriverRequest;
  command(
    namespace: { readonly db: string },
    command: Document,
    options: Document,
    responseType?: unknown,
  ): Promise<Document>;
  /** Closes the connection. */
  onError(error: Error): void;
}

/** The driver makes connections of the class that a client's option `connectionType` names. */
export type DriverConnectionType = new (stream: unknown, options: unknown) => DriverConnection;

/** Members of the class, then of each connection, its socket and its stream of messages. */
export const CONNECTION_METHODS = [
  'command',
  'prepareCommand',
  'onError',
  'shouldEmitAndLogCommand',
] as const;
export const CONNECTION_FIELDS = [
  'socket',
  'messageStream',
  'description',
  'error',
  'socketTimeoutMS',
] as const;
export const SOCKET_METHODS = ['write', 'setTimeout'] as const;
export const STREAM_METHODS = ['on', 'off', 'resume', 'pause'] as const;

/** @throws Error that names what this version of the driver lacks */
export async function loadDriverCommands(): Promise<DriverCommands> {
  // Imported by name, so that a bundler takes the very module that the driver uses as well.
  const { default: commands } = (await import('mongodb/lib/cmap/commands.js')) as {
    default: Partial<DriverCommands>;
  };
  for (const name of ['DocumentSequence', 'OpMsgRequest'] as const) {
    if (typeof commands[name] !== 'function') throw new Error(`this version of the driver has no ${name}`);
  }
  return commands as DriverCommands;
}

/** @throws Error that names what this version of the driver lacks */
export async function loadDriverConnection(): Promise<DriverConnectionType> {
  const { default: exported } = (await import('mongodb/lib/cmap/connection.js')) as {
    default: { readonly Connection?: DriverConnectionType };
  };
  const { Connection } = exported;
  if (!Connection) throw new Error('this version of the driver has no class Connection');
  const missing = CONNECTION_METHODS.find((name) => !Object.hasOwn(Connection.prototype, name));
  if (missing) throw new Error(`this version of the driver has no ${missing} in its connections`);
  return Connection;
}

/** The first member that a connection should have and has not. */
export function missingMember(connection: DriverConnection): string | undefined {
  const { socket, messageStream } = connection;
  const lacks = (object: object | undefined, names: readonly string[]) =>
    names.find((name) => typeof (object as Record<string, unknown> | undefined)?.[name] !== 'function');
  return (
    CONNECTION_FIELDS.find((name) => !(name in connection)) ??
    lacks(socket, SOCKET_METHODS) ??
    lacks(messageStream, STREAM_METHODS)
  );
}

let steady: Promise<DriverConnectionType> | undefined;

/**
 * Connections that end what waits for them. The driver's own forget a command whose connection
 * closes before its message is written: nobody is told, and it never ends.
 * @throws Error where this version of the driver has other connections
 */
export function steadyConnections(): Promise<DriverConnectionType> {
  steady ??= loadDriverConnection().then(steadyOf);
  return steady;
}

/** Open steady connections of this thread, each with the `appName` of its client. */
const openConnections = new Map<DriverConnection, string | undefined>();

/**
 * Closes the connections of a client that was closed and has forgotten some: a monitor of the driver
 * that is reset while it connects may do so. The server would show them for as long as this process
 * lives.
 */
export function closeForgotten(appName: string): void {
  for (const [connection, name] of openConnections) {
    if (name === appName) connection.onError(new MongoNetworkError('the client is closed'));
  }
}

function steadyOf(Base: DriverConnectionType): DriverConnectionType {
  return class SteadyConnection extends Base {
    constructor(stream: unknown, options: unknown) {
      super(stream, options);
      openConnections.set(this, (options as { readonly appName?: string }).appName);
      this.once('close', () => openConnections.delete(this));
    }

    override command(...args: Parameters<DriverConnection['command']>): Promise<Document> {
      return new Promise((resolve, reject) => {
        const closed = () => reject(this.error ?? new MongoNetworkError('the connection is closed'));
        this.once('close', closed);
        super
          .command(...args)
          .then(resolve, reject)
          .finally(() => this.off('close', closed));
      });
    }
  };
}
