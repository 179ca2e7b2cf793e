/** Where each setting's text comes from: flag over environment over file over default. */
import { join } from 'node:path';
import { usageError } from '../errors.js';
import { SETTING_NAMES, type SettingName, settingEntry } from './catalog.js';
import { type Assignment, addFromFiles, readEnvFile } from './env-file.js';
import { maskUri } from './mask.js';

/** Everything outside the program that settings are read from. */
export interface SettingSources {
  /** Texts of the flags that were given, by setting; a switch is `true` or `false`. */
  readonly flags: Readonly<Partial<Record<SettingName, string>>>;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The folder whose `.env` is read; without one no such file is looked for. */
  readonly directory?: string;
  /**
   * Settings that the command has no use for: their variables are not looked at, and cannot be
   * wrong.
   */
  readonly unused?: readonly SettingName[];
}

/** Rank of a source: the higher one wins. */
export const Rank = { default: 0, file: 1, environment: 2, flag: 3 } as const;
export type Rank = (typeof Rank)[keyof typeof Rank];

/** A setting's text before validation, and where it was found. */
export interface Candidate {
  readonly text: string;
  readonly rank: Rank;
  /** For people: `flag --days`, `environment ENVIRONMENT`, `.env, line 3`, `default`. */
  readonly source: string;
  /** How a refusal calls it, where the text came out of a file and is not to be shown. */
  readonly label?: string;
}

export type Candidates = Readonly<Partial<Record<SettingName, Candidate>>>;

/** The rank of what was found for a setting. */
export function rankOf(candidates: Candidates, name: SettingName): Rank {
  return candidates[name]?.rank ?? Rank.default;
}

/**
 * The winning text of each setting. An empty variable counts as not given, as it does in the lines
 * of a copied `.env.example`; an empty flag is a mistake and is left to validation.
 * @throws SeedError (usage) for a file of variables that cannot be used
 */
export function gatherCandidates(sources: SettingSources): Candidates {
  const { flags, environment, directory, unused = [] } = sources;
  if (flags.envFile?.trim() === '') throw usageError('--env-file "": must be a path');
  const fileName = flags.envFile ?? '.env';
  const file = fileOfVariables(flags.envFile, directory);
  const candidates: Partial<Record<SettingName, Candidate>> = {};
  for (const name of SETTING_NAMES) {
    const { flag, default: text } = settingEntry(name);
    const variable = unused.includes(name) ? undefined : settingEntry(name).variable;
    const given = flags[name];
    const assigned = variable === undefined ? undefined : file.get(variable);
    const fromEnvironment = variable === undefined ? undefined : environment[variable];
    const isLink = isServiceLink(name, sources);
    if (given !== undefined) {
      candidates[name] = { text: given, rank: Rank.flag, source: `flag ${flag}` };
    } else if (fromEnvironment && !isLink) {
      const value = fromVariable(name, fromEnvironment);
      candidates[name] = { text: value, rank: Rank.environment, source: `environment ${variable}` };
    } else if (assigned?.value) {
      const value = fromVariable(name, assigned.value);
      candidates[name] = { text: value, rank: Rank.file, source: `${fileName}, line ${assigned.line}` };
    } else if (text !== undefined) {
      candidates[name] = { text, rank: Rank.default, source: 'default' };
    }
  }
  addFromFiles(candidates);
  return candidates;
}

/**
 * Kubernetes and Docker set `MONGODB_PORT=tcp://10.96.12.7:27017` in every container beside a
 * service called mongodb: that is no port, and nobody meant it.
 */
export function isServiceLink(name: SettingName, { environment }: SettingSources): boolean {
  return name === 'port' && /^(?:tcp|udp|sctp):\/\//i.test(environment.MONGODB_PORT ?? '');
}

/** A file that was named has to be there; a `.env` may be there. */
function fileOfVariables(
  named: string | undefined,
  directory: string | undefined,
): ReadonlyMap<string, Assignment> {
  if (named !== undefined) return readEnvFile(named, true);
  return directory === undefined ? new Map() : readEnvFile(join(directory, '.env'), false);
}

/** NO_COLOR switches colours off whatever it says (no-color.org). */
function fromVariable(name: SettingName, value: string): string {
  return name === 'color' ? 'false' : value;
}

/**
 * A setting as it was given, for a refusal: `--days 0` or `MONGODB_PORT=x (.env, line 2)`, one
 * line, no secret.
 */
export function describeCandidate(name: SettingName, candidate: Candidate): string {
  const { flag, variable, secret } = settingEntry(name);
  if (candidate.label !== undefined) return candidate.label;
  if (candidate.rank === Rank.flag) return secret ? `${flag}` : `${flag} ${printable(name, candidate.text)}`;
  const where = candidate.rank === Rank.environment ? '' : ` (${candidate.source})`;
  return secret ? `${variable}${where}` : `${variable}=${printable(name, candidate.text)}${where}`;
}

/** How a setting that was not given is called in a message. */
export function settingLabel(name: SettingName): string {
  const { flag, variable } = settingEntry(name);
  return flag ?? variable ?? name;
}

const LONGEST_VALUE = 80;

function printable(name: SettingName, text: string): string {
  const shown = name === 'uri' ? maskUri(text) : text;
  const short = shown.length > LONGEST_VALUE ? `${shown.slice(0, LONGEST_VALUE)}…` : shown;
  // Quotes and escapes where the bare text would be invisible or break the line.
  return /^[\p{L}\p{N}\p{P}\p{S}]+$/u.test(short) ? short : JSON.stringify(short).replace(/\p{Z}/gu, ' ');
}
