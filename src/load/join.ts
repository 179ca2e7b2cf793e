/**
 * How a loader joins a run that several share: finds or makes the run, and takes hold of its part.
 */
import { createHash } from 'node:crypto';
import { withRetry } from '../connect/retry.js';
import { ExitStatus, SeedError } from '../errors.js';
import { refuseWhileHeld, refuseWhilePartHeld } from '../runs/owner.js';
import type { PartStore } from '../runs/part-store.js';
import {
  decided,
  expiryFor,
  inspect,
  type Prepared,
  type PrepareInput,
  refuseOtherPlan,
  withData,
} from './prepare.js';
import { decideJoin } from './start.js';
import { refuseUnexplained } from './unexplained.js';

const ROUNDS = 5;
const RUN_ID_LENGTH = 24;

/**
 * Whoever comes first writes the run; its id follows from what was asked for, so that of several
 * that come first at once all write the same.
 * @throws SeedError where this part, or another run, is in progress, and where options contradict
 *   those of the run
 */
export async function joinRun(input: PrepareInput, parts: PartStore): Promise<Prepared> {
  const { target, store, request, settings, notice } = input;
  const { part } = parts;
  for (let round = 0; round < ROUNDS; round++) {
    const facts = await inspect(input);
    await refuseWhileHeld(store, notice, part.of);
    const runs = await store.list();
    const begun = await decided(input, facts, () =>
      decideJoin({ runs, collectionsWithData: withData(facts) }, request, settings.load, part),
    );
    if (begun.kind === 'already complete' || begun.kind === 'nothing to resume') {
      return { start: begun, runId: begun.run?._id, facts };
    }
    const expiry = expiryFor(input, facts, begun);
    const known = begun.kind === 'resume' ? begun.run : undefined;
    if (known) refuseOtherPlan(known);
    else await withRetry(() => refuseUnexplained(target.db, request, runs, withData(facts)), store.retry);
    const { _id: _, ...asked } = input.newRun('');
    const runId = known?._id ?? idOf(asked);
    await refuseWhilePartHeld(parts, runId, notice);
    if (begun.kind === 'fresh') input.refuse(begun, facts);
    await store.createIndexes();
    const { again, writer } = await parts.take(runId);
    if (!(await parts.join({ _id: runId, ...asked }))) {
      await parts.end(runId, 'interrupted');
      continue;
    }
    const now = await store.list();
    const run = now.find(({ _id }) => _id === runId);
    // What was decided holds only if no other run has begun and ended since.
    const others = now.filter(({ _id }) => _id !== runId && !runs.some((one) => one._id === _id));
    if (run && others.length === 0) {
      const mayHoldRecords = again || settings.load.existing === 'keep';
      return {
        start: { kind: 'join', run, again, writer, mayHoldRecords },
        runId,
        facts,
        beside: known ? [] : runs,
        expiry,
      };
    }
    await parts.withdraw(runId);
  }
  throw new SeedError(
    ExitStatus.targetNotReady,
    'other loaders come and go on this database',
    'try again later',
  );
}

function idOf(run: object): string {
  return createHash('sha256').update(JSON.stringify(run)).digest('hex').slice(0, RUN_ID_LENGTH);
}
