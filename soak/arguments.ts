/** What `npm run soak -- …` understands. */
import { parseArgs } from 'node:util';

export interface SoakArguments {
  readonly minutes: number;
  /** Of the random choices; printed, so that a run of trouble can be begun again alike. */
  readonly seed: number;
  /** Instead of random faults: many kills within one long load of each layout. */
  readonly kills: boolean;
  /** Days of the load that is killed over and over. */
  readonly days: number;
}

export const USAGE = 'usage: npm run soak -- [--minutes N] [--seed S] | --kills [--days N] [--seed S]';

/** @throws Error that says what is allowed */
export function readArguments(args: readonly string[]): SoakArguments {
  const { values } = parseArgs({
    args: [...args],
    options: {
      minutes: { type: 'string', default: '30' },
      seed: { type: 'string', default: String(Date.now() % 1_000_000) },
      kills: { type: 'boolean', default: false },
      days: { type: 'string', default: '14' },
    },
  });
  const [minutes, seed, days] = [values.minutes, values.seed, values.days].map(Number);
  if (!(minutes > 0) || !Number.isInteger(seed) || !Number.isInteger(days) || days < 1)
    throw new Error(USAGE);
  return { minutes, seed, kills: values.kills, days };
}
