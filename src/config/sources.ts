/** Where each setting's text comes from: flag over environment over file over default. */
import { join } from 'node:path';
import { usageError } from '../errors.js';
import { readInputFile, UnusableFile } from '../system/files.js';
import { SETTING_NAMES, type SettingName, settingEntry } from './catalog.js';
import { maskUri } from './uri.js';

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

// Files of variables (`.env`), read strictly: a line that is neither an assignment nor a comment is
// refused with its number. The usual parsers skip such a line silently and cut an unquoted password
// at its first `#`.

/** A variable's value and the line of the file that sets it. */
interface Assignment {
  readonly value: string;
  readonly line: number;
}

/** Far more than variables take. */
const MOST_BYTES = 1024 * 1024;

const ASSIGNMENT = /^\s*(?:export\s+)?([A-Za-z_][\w.-]*)\s*=[^\S\n]*/;
const BLANK_OR_COMMENT = /^\s*(?:#.*)?$/;

/**
 * Reads a file of variables.
 * @param required false: a missing file holds no variables
 * @throws SeedError (usage) for a file that cannot be read or used; never with a value in its
 *   message
 */
function readEnvFile(path: string, required: boolean): ReadonlyMap<string, Assignment> {
  let text: string;
  try {
    text = readInputFile(path, MOST_BYTES);
  } catch (error) {
    if (!(error instanceof UnusableFile)) throw error;
    if (error.code === 'ENOENT' && !required) return new Map();
    throw usageError(
      `cannot read the variables in ${path}: ${error.message}`,
      required ? 'name a file of variables with --env-file' : 'fix it, or name another file with --env-file',
    );
  }
  return parseEnvFile(text, path);
}

/**
 * The assignments of a text; of two with one name the later counts. `name` is how messages call the
 * file.
 */
export function parseEnvFile(text: string, name: string): ReadonlyMap<string, Assignment> {
  const lines = text.replace(/^\uFEFF/, '').split(/\r\n|\n|\r/);
  const assignments = new Map<string, Assignment>();
  for (let index = 0; index < lines.length; index++) {
    if (BLANK_OR_COMMENT.test(lines[index])) continue;
    const line = index + 1;
    const match = ASSIGNMENT.exec(lines[index]);
    if (!match) throw usageError(`${name}, line ${line}: not of the form KEY=VALUE`);
    const rest = lines[index].slice(match[0].length);
    const quote = /^["'`]/.exec(rest)?.[0];
    if (quote === undefined) {
      assignments.set(match[1], { value: unquoted(rest), line });
      continue;
    }
    const { value, after, used } = quoted([rest.slice(1), ...lines.slice(index + 1)], quote);
    if (value === undefined)
      throw usageError(`${name}, line ${line}: the quoted value of ${match[1]} has no end`);
    index += used;
    if (!BLANK_OR_COMMENT.test(after)) {
      throw usageError(`${name}, line ${index + 1}: text after the quoted value of ${match[1]}`);
    }
    assignments.set(match[1], { value, line });
  }
  return assignments;
}

/** A comment starts at a `#` after a blank: one inside a word belongs to the value. */
function unquoted(rest: string): string {
  return rest.replace(/(?:^|\s)#.*$/, '').trim();
}

/** The value up to the closing quote, what stands after it, and how many more lines it took. */
function quoted(
  lines: readonly string[],
  quote: string,
): { value: string | undefined; after: string; used: number } {
  let value = '';
  for (const [used, line] of lines.entries()) {
    if (used > 0) value += '\n';
    for (let at = 0; at < line.length; at++) {
      if (line[at] === quote) return { value, after: line.slice(at + 1), used };
      if (quote === '"' && line[at] === '\\' && at + 1 < line.length) {
        value += ESCAPES[line[at + 1]] ?? `\\${line[at + 1]}`;
        at++;
      } else value += line[at];
    }
  }
  return { value: undefined, after: '', used: 0 };
}

/** Escapes inside double quotes; any other backslash stands for itself. */
const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', '"': '"', '\\': '\\' };

// Variables that name a file with a value, as images of containers have them:
// `MONGODB_PASSWORD_FILE` for `MONGODB_PASSWORD`.

/** A connection string or a password. */
const MOST_SECRET_BYTES = 64 * 1024;

const FILE_OF = { uri: 'uriFile', password: 'passwordFile' } as const satisfies Partial<
  Record<SettingName, SettingName>
>;

/**
 * Adds what the files hold. A setting from a stronger source wins over its file, and the other way
 * round.
 * @throws SeedError (usage) for a file that cannot be read or is empty, and where one source gives
 *   both; never with what it holds
 */
function addFromFiles(candidates: Partial<Record<SettingName, Candidate>>): void {
  for (const [name, fileName] of Object.entries(FILE_OF) as [SettingName, SettingName][]) {
    const file = candidates[fileName];
    const direct = candidates[name];
    if (file === undefined || (direct && direct.rank > file.rank)) continue;
    const { variable } = settingEntry(name);
    const { variable: fileVariable } = settingEntry(fileName);
    if (direct?.rank === file.rank) {
      throw usageError(`${variable} and ${fileVariable} are both set`, 'give one of them');
    }
    const label = `${fileVariable}=${JSON.stringify(file.text).slice(1, -1)}`;
    candidates[name] = { ...file, text: contentOf(file.text, label, fileVariable), label };
  }
}

function contentOf(path: string, label: string, variable = ''): string {
  try {
    // What writes such files ends them with a line break, which belongs to nothing.
    const text = readInputFile(path, MOST_SECRET_BYTES)
      .replace(/^\uFEFF/, '')
      .replace(/[\r\n]+$/, '');
    if (text !== '') return text;
  } catch (error) {
    if (!(error instanceof UnusableFile)) throw error;
    throw usageError(
      `${label} cannot be read: ${error.message}`,
      `name a file that holds it with ${variable}`,
    );
  }
  throw usageError(`${label}: the file is empty`, `name a file that holds it with ${variable}`);
}
