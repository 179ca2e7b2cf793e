/** The question before something irreversible. */
import { createInterface } from 'node:readline/promises';
import type { Settings } from '../config/index.js';
import { harmless } from '../report/harmless.js';

/**
 * Asks before `--clean` removes data of a production database. Without a person at a terminal nothing is asked and the
 * load refuses by itself.
 */
export async function confirmClean(settings: Settings): Promise<Settings> {
  const { load, connection } = settings;
  const guarded = load.existing === 'clean' && load.environment === 'production' && !load.confirmed;
  if (!guarded || !isPersonThere()) return settings;
  const question = `This removes the data of the production database ${harmless(connection.database)}.`;
  return (await asksForName(question, connection.database))
    ? { ...settings, load: { ...load, confirmed: true } }
    : settings;
}

/** How to ask before something is removed that is not this program's; undefined where there is no person to ask. */
export function askToRemove({ connection }: Settings): ((what: string) => Promise<boolean>) | undefined {
  return isPersonThere() ? (what) => asksForName(harmless(what), connection.database) : undefined;
}

function isPersonThere(): boolean {
  return process.stdin.isTTY === true && process.stderr.isTTY === true;
}

async function asksForName(what: string, name: string): Promise<boolean> {
  const prompt = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return (await prompt.question(`${what} Type the database's name to go on: `)).trim() === name;
  } finally {
    prompt.close();
  }
}
