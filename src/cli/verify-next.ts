/** What `verify` names as the next command where database and dataset differ. */
import type { SettingName } from '../config/catalog.js';
import { LEASE_MS } from '../load/holder.js';
import { STOPPED_CLEANING } from '../load/run-document.js';
import { runHistory } from '../load/run-history.js';
import { shellWord } from '../report/shell.js';
import type { Books } from '../store/books.js';
import type { RepairPlan, Selection } from '../verify/index.js';
import { commandHints, flagText } from './commands.js';
import { CONNECTION_SETTINGS, VERIFY_SETTINGS } from './options.js';
import type { NextStep } from './verify-text.js';

type Flags = Partial<Record<SettingName, string>>;

/** Flags of `verify` that say what is compared, and how. */
const COMPARING = VERIFY_SETTINGS.filter((name) => name !== 'quiet' && !CONNECTION_SETTINGS.includes(name));

/**
 * A run that was not finished is resumed; what is missing or different otherwise is repaired.
 * @param books where the runs are read
 * @param run as typed: `--run`
 */
export async function nextStep(
  books: Books,
  { run: compared }: Selection,
  plan: RepairPlan,
  flags: Flags,
  run: string | undefined,
): Promise<NextStep | undefined> {
  const { program, connectionFlags, beside } = commandHints(flags);
  const command = (text: string) => `${program} ${text}${connectionFlags}`;
  if (compared && compared.state !== 'complete') {
    const runs = (await runHistory(books)).filter((one) => 'state' in one);
    const stored = runs.find(({ runId }) => runId === compared._id);
    const silences = [stored?.silentMs, ...(stored?.parts?.begun.map(({ silentMs }) => silentMs) ?? [])];
    if (silences.some((silentMs) => silentMs !== undefined && silentMs < LEASE_MS)) {
      return { what: `A loader is at work; see when it is done${beside}`, command: command('status') };
    }
    const open = runs.find(({ state }) => state !== 'complete');
    // A shared run is finished part by part, and of several unfinished ones the newest first.
    if (compared.parts || open?.runId !== compared._id) {
      return { what: `Not finished; see what is open${beside}`, command: command('status') };
    }
    if (compared.cleaning) {
      return { what: `Not finished: it ${STOPPED_CLEANING}${beside}`, command: command('--resume') };
    }
    return { what: `Not finished; continue with${beside}`, command: command('--resume') };
  }
  if (plan.insert + plan.replace + plan.assets > 0) {
    const which = run === undefined ? '' : ` --run ${shellWord(run)}`;
    return {
      what: `Repair with${beside}`,
      command: command(`verify --repair${which}${flagText(flags, COMPARING)}`),
    };
  }
  if (plan.leave > 0)
    return { what: 'What is too much only --clean, or you, can remove', command: undefined };
  return undefined;
}
