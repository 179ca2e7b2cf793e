/** Before `--clean` removes what is not this program's, somebody has to say so. */
import type { LoadSettings } from '../config/settings.js';
import { ExitStatus, SeedError } from '../errors.js';
import type { TargetFacts } from '../store/inspect.js';
import type { Target } from '../store/target.js';
import { foreignText, foreignTo } from './foreign.js';
import { foreignDocuments } from './foreign-documents.js';
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
  /** A run that was stopped while it cleaned, and is to go on with that. */
  readonly resumed?: string;
}

/** @throws SeedError where nobody has said that it may go: nothing is changed then */
export async function askForForeign({
  target,
  store,
  facts,
  load,
  confirm,
  notice,
  resumed,
}: AskInput): Promise<void> {
  const { db } = target;
  const runs = await store.documents();
  const whole = foreignTo(facts, runs);
  const foreign = [
    ...whole,
    ...(await withRetry(() => foreignDocuments(db, runs, facts, whole), store.retry)),
  ];
  if (foreign.length === 0) return;
  const counted = foreign.filter(({ viewOf, documents }) => viewOf === undefined && documents === undefined);
  const counts = await Promise.all(
    counted.map(({ name }) => withRetry(() => db.collection(name).estimatedDocumentCount(), store.retry)),
  );
  const what = foreignText(foreign, new Map(counted.map(({ name }, i) => [name, counts[i]])));
  const flag = resumed === undefined ? '--clean' : '--resume';
  if (load.confirmed) {
    notice(`${flag} removes what no run of this program has made in database ${db.databaseName}: ${what}`);
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
    resumed === undefined
      ? `--clean would remove what no run of this program has made in database ${db.databaseName}: ${what}`
      : `run ${resumed} was stopped while it removed the data of database ${db.databaseName}, and --resume would go on with ` +
          `what no run of this program has made: ${what}`,
    'add --yes if that is what you want, or use another --database',
  );
}
