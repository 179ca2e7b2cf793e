/** What every task of a pool needs, in memory that all threads see: a task carries a reference to it, however large it is. */
import { deserialize, serialize } from 'node:v8';

/** A `T` as bytes. */
export interface Shared<T> {
  readonly bytes: SharedArrayBuffer;
  /** Differs between any two values that one process shares. */
  readonly id: number;
  /** Never there: it only carries the type. */
  readonly type?: T;
}

let count = 0;
let last: { readonly id: number; readonly value: unknown } | undefined;

/** @param value plain data: what the structured clone algorithm takes, but for shared memory */
export function share<T>(value: T): Shared<T> {
  const serialized = serialize(value);
  const bytes = new SharedArrayBuffer(serialized.length);
  Buffer.from(bytes).set(serialized);
  return { bytes, id: ++count };
}

/** The value as this thread has it: read the first time, and the same object as long as no other value is asked for. */
export function unshare<T>({ bytes, id }: Shared<T>): T {
  // Copied first: the deserialiser hands out views of what it reads.
  if (last?.id !== id) last = { id, value: deserialize(Buffer.from(new Uint8Array(bytes))) };
  return last.value as T;
}
