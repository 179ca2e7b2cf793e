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
const known = new WeakMap<object, Shared<unknown>>();
let last: { readonly id: number; readonly value: unknown } | undefined;

/**
 * The same for the same object, which must not change any more: threads know by it that nothing has.
 * @param value plain data: what the structured clone algorithm takes, but for shared memory
 */
export function share<T extends object>(value: T): Shared<T> {
  const before = known.get(value);
  if (before) return before as Shared<T>;
  const serialized = serialize(value);
  const bytes = new SharedArrayBuffer(serialized.length);
  Buffer.from(bytes).set(serialized);
  const shared: Shared<T> = { bytes, id: ++count };
  known.set(value, shared);
  return shared;
}

/** The value as this thread has it: read the first time, and the same object as long as no other value is asked for. */
export function unshare<T>({ bytes, id }: Shared<T>): T {
  // Copied first: the deserialiser hands out views of what it reads.
  if (last?.id !== id) last = { id, value: deserialize(Buffer.from(new Uint8Array(bytes))) };
  return last.value as T;
}
