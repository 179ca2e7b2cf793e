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
import type { Db, Document } from 'mongodb';
import { NotHeld } from '../../threads/counters.js';

/** What the driver takes for the reply of a command that has ended well. */
const ENDED = { ok: 1, toObject: () => ({ ok: 1 }) };

interface Pending {
  readonly buffer: Buffer;
  readonly resolve: (reply: Document) => void;
  readonly reject: (error: unknown) => void;
}

/** What became of the insert that was sent last, or of the connection. */
export interface Outcome {
  readonly replied: (reply: Document) => void;
  readonly failed: (error: unknown) => void;
}

/** A way to send inserts over a connection, one at a time. */
export interface Wire {
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
export function mayWrite(): boolean {
  return held();
}
