/**
 * Reads and checks fleet files. Whatever is wrong is one line that names the file's line, the
 * field, and what is allowed.
 */
import { statSync } from 'node:fs';
import type * as z from 'zod';
import { didYouMean, ExitStatus, SeedError, usageError } from '../errors.js';
import { readInputBytes, UnusableFile } from '../system/files.js';
import type { Complaint } from './fields.js';
import type { FleetFile } from './file.js';
import { complaintsAbout, fleetFile, MOST_STORED_BYTES, sizeText, storedBytes } from './schema.js';
import { type Mistake, type ReadText, readYaml } from './yaml.js';

/** Beyond this nobody reads on. */
const MOST_MISTAKES = 20;
/**
 * What a text may stand for before it is looked at: merged fields that are written over count here,
 * and are not stored.
 */
const MOST_EXPANDED_BYTES = 2 * MOST_STORED_BYTES;
const MISSING = 'is missing';
type Path = readonly PropertyKey[];

/**
 * The fleet at a path, or one that is an object already, once it is found to be right. @throws
 * SeedError (usage)
 */
export function fleetFileOf(source: string | FleetFile): FleetFile {
  return typeof source === 'string' ? readFleetFile(source) : checkFleet(source, 'as given');
}

/** @throws SeedError (usage) where the file cannot be read or is not a fleet */
export function readFleetFile(path: string): FleetFile {
  return parseFleet(readFleetText(path), path);
}

/**
 * The fleet that a YAML or JSON text describes.
 * @param name of the text, for complaints
 * @throws SeedError (usage) with all mistakes of the text, the first one in its message
 */
export function parseFleet(text: string, name: string): FleetFile {
  let read: ReadText;
  try {
    read = readYaml(text, MOST_EXPANDED_BYTES);
  } catch (error) {
    // A text of thousands of brackets is deeper than a stack.
    const { message } = error as Error;
    const what = error instanceof RangeError ? 'it is nested too deeply' : message;
    throw wrong(name, [{ line: undefined, what }]);
  }
  if (read.bytes > MOST_EXPANDED_BYTES) throw tooLarge(name, read.bytes);
  if (!read.isUsable) throw wrong(name, read.mistakes);
  if (read.value === null) throw wrong(name, [{ line: undefined, what: 'it is empty' }]);
  return check(read.value, name, read.lineOf, read.mistakes);
}

/** The same for a fleet that is an object already. @throws SeedError (usage) */
export function checkFleet(value: unknown, name: string): FleetFile {
  return check(value, name, () => undefined, []);
}

function check(
  value: unknown,
  name: string,
  lineOf: (path: Path) => number | undefined,
  known: readonly Mistake[],
): FleetFile {
  const parsed = fleetFile.safeParse(value);
  const shapes = parsed.error?.issues.flatMap((issue) => complaintsOf(issue, value)) ?? [];
  const mistakes = [
    ...known,
    ...[...shapes, ...complaintsAbout(value)].map(({ path, what }) => ({
      line: lineOf(path),
      what: `${fieldName(path)}${what}`,
    })),
  ].sort(inReadingOrder);
  if (mistakes.length > 0) throw wrong(name, mistakes);
  const file = parsed.data as FleetFile;
  const bytes = storedBytes(file);
  if (bytes > MOST_STORED_BYTES) throw tooLarge(name, bytes);
  return file;
}

function tooLarge(name: string, bytes: number): SeedError {
  return usageError(
    `fleet ${name} expands to ${sizeText(bytes)}; it is stored with every run, where a document has at most 16 MB`,
    'describe one site, and multiply it with --scale',
  );
}

function wrong(name: string, mistakes: readonly Mistake[]): SeedError {
  const [first, ...more] = mistakes.map(({ line, what }) => ({
    place: line === undefined ? '' : `line ${line}: `,
    what: what.split('\n')[0],
  }));
  const others = more.length > 0 ? ` (and ${more.length} more)` : '';
  const shown = more.slice(0, MOST_MISTAKES - 1).map(({ place, what }) => `${place}${what}`);
  const left = more.length - shown.length;
  return new SeedError(
    ExitStatus.usage,
    `fleet ${name}${first.place === '' ? ': ' : `, ${first.place}`}${first.what}${others}`,
    'docs/fleets.md describes every field; "seed-database fleet" prints the default fleet as an example',
    { details: left > 0 ? [...shown, `and ${left} more`] : shown },
  );
}

/** `machines[2].services[0].port `; nothing for the file as a whole. */
function fieldName(path: Path): string {
  if (path.length === 0) return '';
  const name = path.reduce<string>((text, key) => {
    if (typeof key === 'number') return `${text}[${key}]`;
    return text === '' ? String(key) : `${text}.${String(key)}`;
  }, '');
  return `${name} `;
}

function complaintsOf(issue: z.core.$ZodIssue, value: unknown): Complaint[] {
  const { path } = issue;
  if (issue.code !== 'unrecognized_keys') return [complaintAbout(issue, value)];
  const known = knownFields(path);
  return issue.keys.map((key) => ({
    path: [...path, key],
    what: `is no field that there is${didYouMean(key, known)}`,
  }));
}

function complaintAbout(issue: z.core.$ZodIssue, value: unknown): Complaint {
  const { path } = issue;
  const given = path.reduce<unknown>((at, key) => (at as Record<PropertyKey, unknown>)?.[key], value);
  if (issue.code === 'invalid_key') {
    return { path, what: `must be ${issue.issues[0]?.message ?? 'another name'}` };
  }
  if (given === undefined && path.length > 0) return { path, what: MISSING };
  const shown = path.length === 0 ? '' : `${JSON.stringify(given)?.slice(0, 60)} `;
  if (issue.code === 'invalid_value') {
    const near = typeof given === 'string' ? didYouMean(given, issue.values.map(String)) : '';
    return { path, what: `${shown}must be one of ${issue.values.join(', ')}${near}` };
  }
  return { path, what: `${shown}must be ${issue.message}` };
}

/** By line; but a field that is missing is often there under a misspelt name, which says more. */
function inReadingOrder(one: Mistake, other: Mistake): number {
  const missing = (mistake: Mistake) => Number(mistake.what.endsWith(MISSING));
  return missing(one) - missing(other) || (one.line ?? 0) - (other.line ?? 0);
}

/** The fields that the schema knows at a path. */
function knownFields(path: Path): string[] {
  let schema = fleetFile as unknown as SchemaShape;
  for (const key of path) {
    schema = inner(schema);
    const next = typeof key === 'number' ? schema.element : schema.shape?.[String(key)];
    if (!next) return [];
    schema = next;
  }
  return Object.keys(inner(schema).shape ?? {});
}

interface SchemaShape {
  readonly shape?: Readonly<Record<string, SchemaShape>>;
  readonly element?: SchemaShape;
  unwrap?(): SchemaShape;
}

/** Without `optional`; an array's `unwrap` would be its element. */
function inner(schema: SchemaShape): SchemaShape {
  return schema.element === undefined && schema.unwrap ? inner(schema.unwrap()) : schema;
}

// The text of a fleet file, in whichever of the usual encodings an editor or a shell has written
// it.

/** Far more than a person writes. */
const MOST_BYTES = 4 * 1024 * 1024;
const AS_UTF_8 = 'save it as UTF-8';

/** @throws SeedError (usage) for what is no text, too large, or cannot be read */
function readFleetText(path: string): string {
  try {
    const found = statSync(path);
    // A terminal or a device such as /dev/zero might never end.
    if (!found.isFile() && !found.isFIFO()) {
      throw usageError(
        `--fleet ${path} is ${found.isDirectory() ? 'a folder' : 'no file'}`,
        'name a YAML or JSON file',
      );
    }
    return decoded(readInputBytes(path, MOST_BYTES), path);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'EFBIG') throw tooLargeFile(path);
    if (code === undefined && !(error instanceof UnusableFile)) throw error;
    throw usageError(`--fleet ${path} cannot be read: ${message}`, 'name a YAML or JSON file');
  }
}

function tooLargeFile(path: string) {
  return usageError(
    `fleet ${path} has more than ${MOST_BYTES / 1024 / 1024} MB`,
    'describe one site, and multiply it with --scale',
  );
}

/**
 * By its byte order mark: Windows PowerShell writes UTF-16 where a command's output goes into a
 * file.
 */
function decoded(bytes: Buffer, path: string): string {
  const mark = bytes.subarray(0, 2).toString('hex');
  const encoding = mark === 'fffe' ? 'utf-16le' : mark === 'feff' ? 'utf-16be' : 'utf-8';
  const text = new TextDecoder(encoding).decode(bytes);
  const broken = /[\0\ufffd]/.exec(text);
  if (broken && !hasReplacementOfItsOwn(bytes, broken[0])) {
    const line = text.slice(0, broken.index).split('\n').length;
    throw usageError(`fleet ${path}, line ${line}: this is no text in UTF-8`, AS_UTF_8);
  }
  return text;
}

/** True where U+FFFD stands in the file as it is. */
function hasReplacementOfItsOwn(bytes: Buffer, found: string): boolean {
  return found !== '\0' && bytes.includes('\ufffd');
}
