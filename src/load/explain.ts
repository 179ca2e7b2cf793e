/** Failures of a load, as the user reads them. */
import { SeedError } from '../errors.js';
import { RetriesExhausted, unwrapped } from './retry.js';

/** Explains a failure by its cause; after vain retries, with their number and time. */
export function explainFailure(error: unknown, explain: (cause: unknown) => unknown): unknown {
  if (!(error instanceof RetriesExhausted)) return explain(unwrapped(error));
  const cause = explain(error.cause);
  if (!(cause instanceof SeedError)) return cause;
  return new SeedError(cause.exitStatus, `${cause.message} (${error.message})`, cause.remedy, { cause });
}
