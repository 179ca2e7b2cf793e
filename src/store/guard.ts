/** How writes are kept from a loader that may do them no longer. The store makes them; whether they may be made, its caller knows. */

/** Options of the driver for a write that must not reach the server later than so many milliseconds from now. */
export interface WriteLimit {
  readonly timeoutMS?: number;
}

/** Does a write if it may be done now, and rejects instead where it may not. */
export type Guard = <T>(write: (limit: WriteLimit) => Promise<T>) => Promise<T>;

/** For databases that nobody else loads. */
export const unguarded: Guard = (write) => write({});
