/**
 * Files of variables (`.env`), read strictly: a line that is neither an assignment nor a comment is
 * refused with its number. The usual parsers skip such a line silently and cut an unquoted password
 * at its first `#`.
 */
import { usageError } from '../errors.js';
import { readInputFile, UnusableFile } from '../system/files.js';
import { type SettingName, settingEntry } from './catalog.js';
import type { Candidate } from './sources.js';

/** A variable's value and the line of the file that sets it. */
export interface Assignment {
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
export function readEnvFile(path: string, required: boolean): ReadonlyMap<string, Assignment> {
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
export function addFromFiles(candidates: Partial<Record<SettingName, Candidate>>): void {
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
