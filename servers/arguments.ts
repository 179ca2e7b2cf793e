/** What `npm run test:servers -- …` understands. */
import { parseArgs } from 'node:util';
import { SERVER_VERSIONS, type ServerVersion } from './binaries.js';
import { RUNTIME_NAMES } from './runtimes.js';
import { SUITE_NAMES, type SuiteName } from './suites.js';

export interface ServersArguments {
  readonly servers: readonly ServerVersion[];
  /** Of the usual server, besides this process's own. */
  readonly runtimes: readonly string[];
  readonly suites: readonly SuiteName[];
}

export const USAGE =
  'usage: npm run test:servers -- [--servers 4.4.2,5.0.4] [--runtimes node22,bun | --runtimes none] [--suites loading,faults]';

/** @throws Error that says what is allowed */
export function readArguments(args: readonly string[]): ServersArguments {
  const { values } = parseArgs({
    args: [...args],
    options: { servers: { type: 'string' }, runtimes: { type: 'string' }, suites: { type: 'string' } },
  });
  return {
    servers: chosen(values.servers, SERVER_VERSIONS),
    runtimes: chosen(values.runtimes, RUNTIME_NAMES),
    suites: chosen(values.suites, SUITE_NAMES),
  };
}

/** All unless some are named. */
function chosen<T extends string>(text: string | undefined, all: readonly T[]): readonly T[] {
  if (text === undefined) return all;
  if (text === 'none') return [];
  const names = text.split(',');
  const unknown = names.find((name) => !all.some((one) => one === name));
  if (unknown !== undefined) throw new Error(`${unknown} is none of ${all.join(', ')}\n${USAGE}`);
  return all.filter((name) => names.includes(name));
}
