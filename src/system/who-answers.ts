/**
 * What is at an address: asks in MongoDB's oldest way, which every version answers without a user,
 * and looks at what comes back.
 */
import { connect, connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { BSON, type Document } from 'mongodb';

export type Answer =
  /** Nothing accepts a connection, or not yet. */
  | { readonly kind: 'nobody' }
  | { readonly kind: 'mongodb'; readonly tls: boolean; readonly hello: Document }
  /** It speaks TLS, and does not say what else. */
  | { readonly kind: 'tls' }
  /** Something else; `like` is what it looks like. */
  | { readonly kind: 'foreign'; readonly like: string }
  /** It accepts a connection and says nothing. */
  | { readonly kind: 'silent' }
  /** It accepts a connection and closes it at once. */
  | { readonly kind: 'closes' };

/** As the driver has it. */
export interface Address {
  readonly host?: string;
  readonly port?: number;
  readonly socketPath?: string;
}

/** A server that is up answers in milliseconds; this is for one that is busy, and far away. */
const PATIENCE_MS = 2_500;
/** After so long without an answer it is no server that is well. */
const NUDGE_MS = 1_000;
const HEADER_BYTES = 16;
const REPLY_HEADER_BYTES = 36;
const OP_REPLY = 1;
const OP_QUERY = 2004;
const MOST_REPLY_BYTES = 1_000_000;

/**
 * Connects and asks. Never rejects; takes at most some seconds.
 * @param tls in which way to ask first
 */
export async function whoAnswers(address: Address, tls: boolean): Promise<Answer> {
  const first = await ask(address, tls);
  if (typeof first === 'object') return first;
  // Whoever speaks TLS has said so.
  const second = tls && first === 'tls' ? first : await ask(address, !tls);
  if (typeof second === 'object' && second.kind !== 'nobody') return second;
  return { kind: first === 'tls' || second === 'tls' ? 'tls' : 'closes' };
}

function ask(
  { host = 'localhost', port = 0, socketPath }: Address,
  tls: boolean,
): Promise<Answer | 'closed' | 'tls'> {
  return new Promise((resolve) => {
    const place = socketPath === undefined ? { host, port } : { path: socketPath };
    // Nothing secret is said, and nothing that is heard is trusted.
    const socket: Socket = tls ? connectTls({ ...place, rejectUnauthorized: false }) : connectTcp(place);
    const end = (answer: Answer | 'closed' | 'tls') => {
      clearTimeout(timer);
      clearTimeout(nudge);
      socket.destroy();
      resolve(answer);
    };
    let accepted = false;
    let secured = false;
    let heard: Buffer = Buffer.alloc(0);
    const timer = setTimeout(
      () => end(!accepted ? { kind: 'nobody' } : secured ? 'tls' : { kind: 'silent' }),
      PATIENCE_MS,
    );
    // Many a server of text waits for the end of a line before it complains.
    const nudge = setTimeout(() => accepted && heard.length === 0 && socket.write('\r\n\r\n'), NUDGE_MS);
    socket.once('connect', () => {
      accepted = true;
    });
    socket.once(tls ? 'secureConnect' : 'connect', () => {
      secured = tls;
      socket.write(question());
    });
    socket.on('data', (chunk) => {
      heard = Buffer.concat([heard, chunk]);
      const answer = answerIn(heard, tls);
      if (answer) end(answer);
    });
    // What has been said before the end may be too short for a whole answer, and tells enough.
    const over = () =>
      end(!accepted ? { kind: 'nobody' } : secured ? 'tls' : heard.length > 0 ? foreign(heard) : 'closed');
    socket.once('error', over);
    socket.once('close', over);
  });
}

/** `isMaster`, as an OP_QUERY. */
function question(): Buffer {
  const body = BSON.serialize({ ismaster: 1, helloOk: true });
  const collection = Buffer.from('admin.$cmd\0');
  const message = Buffer.alloc(HEADER_BYTES + 4 + collection.length + 8 + body.length);
  message.writeInt32LE(message.length, 0);
  message.writeInt32LE(1, 4);
  message.writeInt32LE(OP_QUERY, 12);
  collection.copy(message, HEADER_BYTES + 4);
  message.writeInt32LE(-1, HEADER_BYTES + 4 + collection.length + 4);
  message.set(body, HEADER_BYTES + 4 + collection.length + 8);
  return message;
}

/** Undefined where more has to come first. */
function answerIn(heard: Buffer, tls: boolean): Answer | 'tls' | undefined {
  if (heard.length < HEADER_BYTES) return isTls(heard) ? 'tls' : undefined;
  const length = heard.readInt32LE(0);
  const isReply =
    heard.readInt32LE(12) === OP_REPLY && length > REPLY_HEADER_BYTES && length <= MOST_REPLY_BYTES;
  if (!isReply) return foreign(heard);
  if (heard.length < length) return undefined;
  try {
    return { kind: 'mongodb', tls, hello: BSON.deserialize(heard.subarray(REPLY_HEADER_BYTES, length)) };
  } catch {
    return foreign(heard);
  }
}

/** An alert or a handshake of TLS. */
function isTls(heard: Buffer): boolean {
  return (heard[0] === 0x15 || heard[0] === 0x16) && heard[1] === 0x03;
}

/** By the first bytes of those who speak first, or who refuse what they do not know. */
const LIKENESSES: readonly (readonly [RegExp, string])[] = [
  [/^HTTP\/|^<!doctype|^<html/i, 'an HTTP server'],
  [/^SSH-/, 'an SSH server'],
  [/^220[ -].*(?:smtp|mail)/i, 'a mail server'],
  [/^220[ -]/, 'an FTP or mail server'],
  [/^-(?:ERR|DENIED|NOAUTH)/, 'a Redis server'],
  [/^[\s\S]{4}\n\d+\.\d+\.\d+|mysql|mariadb/i, 'a MySQL server'],
  [/^AMQP/, 'an AMQP server'],
];

function foreign(heard: Buffer): Answer | 'tls' {
  const text = heard.toString('latin1');
  if (isTls(heard)) return 'tls';
  const likeness = LIKENESSES.find(([pattern]) => pattern.test(text))?.[1];
  return { kind: 'foreign', like: likeness ?? 'something that is no MongoDB server' };
}

// Whether anything answers on a port.

/** On loopback a listening server accepts at once. */
const PROBE_MS = 300;

/** True when a TCP connection to `host:port` is accepted in time. */
export function isListening(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: PROBE_MS });
    const answer = (listening: boolean) => {
      socket.destroy();
      resolve(listening);
    };
    socket.once('connect', () => answer(true));
    socket.once('timeout', () => answer(false));
    socket.once('error', () => answer(false));
  });
}
