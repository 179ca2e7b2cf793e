/** Work outside the shards that has to survive a server's crash as well: dropping, creating, the assets. */
import type { Db } from 'mongodb';
import { serverIdentity } from '../store/identity.js';
import type { Hold } from './hold.js';
import { withRetry } from './retry.js';

/**
 * Does `work`, which must bear repetition, until a durable write has followed it on the very server process, in the same
 * term, that did it. Only then is it certain to be there after a crash.
 */
export async function durably(db: Db, hold: Hold, work: () => Promise<void>): Promise<void> {
  await withRetry(async () => {
    for (;;) {
      const before = await serverIdentity(db);
      await work();
      await hold.beat();
      if ((await serverIdentity(db)) === before) return;
    }
  }, hold.retry);
}
