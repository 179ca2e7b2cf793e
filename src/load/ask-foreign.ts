/** Before `--clean` removes what is not this program's, somebody has to say so. */
import type { LoadSettings } from '../config/settings.js';
import { ExitStatus, SeedError } from '../errors.js';
import type { TargetFacts } from '../store/inspect.js';
import type { Target } from '../store/target.js';
import { foreignText, foreignTo } from './foreign.js';
import { withRetry } from './retry.js';
import type { RunStore } from './run-store.js';

/** Asks whether to go on with what cannot be undone; false where nobody can be asked. */
export type Confirm = (what: string) => Promise<boolean>;

export interface AskInput {
  readonly target: Pick<Target, 'db'>;
  readonly store: RunStore;
  readonly facts: TargetFacts;
  readonly load: Pick<LoadSettings, 'confirmed'>;
  readonly confirm: Confirm | undefined;
  readonly notice: (message: string) => void;
}

/** @throws SeedError where nobody has said that it may go: nothing is changed then */
export async function askForForeign({
  target,
  store,
  facts,
  load,
  confirm,
  notice,
}: AskInput): Promise<void> {
  const foreign = foreignTo(facts, await store.documents());
  if (foreign.length === 0) return;
  const { db } = target;
  const counted = foreign.filter(({ viewOf, documents }) => viewOf === undefined && documents === undefined);
  const counts = await Promise.all(
    counted.map(({ name }) => withRetry(() => db.collection(name).estimatedDocumentCount(), store.retry)),
  );
  const what = foreignText(foreign, new Map(counted.map(({ name }, i) => [name, counts[i]])));
  if (load.confirmed) {
    notice(`--clean removes what no run of this program has made in database ${db.databaseName}: ${what}`);
    return;
  }
  if (
    await confirm?.(
      `This removes what no run of this program has made in database ${db.databaseName}: ${what}.`,
    )
  )
    return;
  throw new SeedError(
    ExitStatus.targetNotReady,
    `--clean would remove what no run of this program has made in database ${db.databaseName}: ${what}`,
    'add --yes if that is what you want, or use another --database',
  );
}
