/**
 * A TCP proxy between a loader and its server that can cut, stall and delay what passes through it.
 */
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

interface Pair {
  readonly client: Socket;
  readonly server: Socket;
  stalled: boolean;
}

export interface ProxyOptions {
  /** Milliseconds that every piece of data waits, in both directions. */
  readonly delayMs?: number;
  /** What the server sends arrives in pieces of so many bytes, a millisecond apart. */
  readonly pieceBytes?: number;
}

export class TcpProxy {
  /** Connections made so far. */
  connections = 0;
  /** Bytes that have come from clients. */
  bytesFromClients = 0;
  readonly #pairs = new Set<Pair>();
  readonly #server: Server;
  #delayMs: number;
  readonly #pieceBytes: number | undefined;
  #stalled = false;
  #refusing = false;
  #cutAfter: { bytes: number; done: () => void } | undefined;

  private constructor(
    readonly targetPort: number,
    { delayMs = 0, pieceBytes }: ProxyOptions,
  ) {
    this.#delayMs = delayMs;
    this.#pieceBytes = pieceBytes;
    this.#server = createServer((client) => this.#accept(client));
  }

  /** A proxy that listens on loopback and passes everything on to `targetPort`. */
  static async start(targetPort: number, options: ProxyOptions = {}): Promise<TcpProxy> {
    const proxy = new TcpProxy(targetPort, options);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get port(): number {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('the proxy does not listen');
    return address.port;
  }

  /** To the one server behind it, whatever that server says of itself. */
  get uri(): string {
    return `mongodb://127.0.0.1:${this.port}/?directConnection=true`;
  }

  /** Cuts every connection now. What the server has received it has. */
  cut(): void {
    for (const { client, server } of this.#pairs) {
      client.destroy();
      server.destroy();
    }
  }

  /**
   * Resolves when clients have sent so many more bytes and every connection was cut there, in the
   * middle of a message.
   */
  cutAfter(bytes: number): Promise<void> {
    return new Promise((done) => {
      this.#cutAfter = { bytes, done };
    });
  }

  /** Cuts every connection and accepts no other until `accept`. */
  refuse(): void {
    this.#refusing = true;
    this.cut();
  }

  accept(): void {
    this.#refusing = false;
  }

  /** Lets nothing through on the connections that are open, and leaves them open. New ones work. */
  stall(): void {
    for (const pair of this.#pairs) stallPair(pair);
  }

  /** Ends the connections that are stalled. */
  cutStalled(): void {
    for (const { client, server, stalled } of this.#pairs) {
      if (!stalled) continue;
      client.destroy();
      server.destroy();
    }
  }

  /** The same for every connection, those to come included, until `resume`. */
  stallAll(): void {
    this.#stalled = true;
    this.stall();
  }

  resume(): void {
    this.#stalled = false;
    for (const pair of this.#pairs) {
      pair.stalled = false;
      pair.client.resume();
      pair.server.resume();
    }
  }

  delay(ms: number): void {
    this.#delayMs = ms;
  }

  async stop(): Promise<void> {
    this.refuse();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #accept(client: Socket): void {
    if (this.#refusing) {
      client.destroy();
      return;
    }
    this.connections++;
    const server = connect(this.targetPort, '127.0.0.1');
    const pair: Pair = { client, server, stalled: false };
    this.#pairs.add(pair);
    const end = () => {
      this.#pairs.delete(pair);
      client.destroy();
      server.destroy();
    };
    for (const socket of [client, server]) {
      socket.setNoDelay(true);
      socket.on('error', end);
      socket.on('close', end);
    }
    client.on('data', (data) => {
      this.bytesFromClients += data.length;
      const cut = this.#cutAfter;
      if (cut && cut.bytes < data.length) {
        this.#cutAfter = undefined;
        server.write(data.subarray(0, cut.bytes));
        this.cut();
        cut.done();
        return;
      }
      if (cut) cut.bytes -= data.length;
      this.#pass(data, server, client, pair);
    });
    let passed = Promise.resolve();
    server.on('data', (data) => {
      const bytes = this.#pieceBytes;
      if (bytes === undefined) this.#pass(data, client, server, pair);
      else passed = passed.then(() => passInPieces(data, client, bytes));
    });
    if (this.#stalled) stallPair(pair);
  }

  /** A slow receiver holds its sender back, so that the proxy's own memory stays small. */
  #pass(data: Buffer, to: Socket, from: Socket, pair: Pair): void {
    if (this.#delayMs === 0) {
      if (to.write(data)) return;
      from.pause();
      to.once('drain', () => pair.stalled || from.resume());
      return;
    }
    setTimeout(() => to.destroyed || to.write(data), this.#delayMs);
  }
}

async function passInPieces(data: Buffer, to: Socket, bytes: number): Promise<void> {
  for (let at = 0; at < data.length && !to.destroyed; at += bytes) {
    to.write(data.subarray(at, at + bytes));
    await sleep(1);
  }
}

function stallPair(pair: Pair): void {
  pair.stalled = true;
  pair.client.pause();
  pair.server.pause();
}
