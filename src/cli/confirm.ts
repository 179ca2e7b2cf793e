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
  if (!guarded || !process.stdin.isTTY || !process.stderr.isTTY) return settings;
  const prompt = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await prompt.question(
      `This removes the data of the production database ${harmless(connection.database)}. Type its name to go on: `,
    );
    return answer.trim() === connection.database
      ? { ...settings, load: { ...load, confirmed: true } }
      : settings;
  } finally {
    prompt.close();
  }
}
