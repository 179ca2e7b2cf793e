/** Reads and checks fleet files. Whatever is wrong is one line that names the file's line, the field, and what is allowed. */
import { readFileSync, statSync } from 'node:fs';
import { isMap, isNode, isScalar, LineCounter, parseDocument, type Document as YamlDocument } from 'yaml';
import type * as z from 'zod';
import { type SeedError, usageError } from '../errors.js';
import { didYouMean } from '../nearest.js';
import { type Complaint, complaintsAbout } from './contents.js';
import type { FleetFile } from './file.js';
import { fleetFile } from './schema.js';

/** The definition is stored with every run, where a document may have 16 MB. */
const MOST_BYTES = 4 * 1024 * 1024;
const MISSING = 'is missing';
type Path = readonly PropertyKey[];

/** The fleet at a path, or one that is an object already, once it is found to be right. @throws SeedError (usage) */
export function fleetFileOf(source: string | FleetFile): FleetFile {
  return typeof source === 'string' ? readFleetFile(source) : checkFleet(source, 'as given');
}

/** @throws SeedError (usage) where the file cannot be read or is not a fleet */
export function readFleetFile(path: string): FleetFile {
  return parseFleet(textOf(path), path);
}

/**
 * The fleet that a YAML or JSON text describes.
 * @param name of the text, for complaints
 * @throws SeedError (usage)
 */
export function parseFleet(text: string, name: string): FleetFile {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const lineAt = (offset: number) => lines.linePos(offset).line;
  const [error] = document.errors;
  if (error) throw wrong(name, lineAt(error.pos[0]), error.message);
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: 1000 });
  } catch (thrown) {
    throw wrong(name, 1, (thrown as Error).message);
  }
  return check(value, name, (path) => lineAt(offsetOf(document, path)));
}

/** The same for a fleet that is an object already. @throws SeedError (usage) */
export function checkFleet(value: unknown, name: string): FleetFile {
  return check(value, name, () => undefined);
}

function check(value: unknown, name: string, lineOf: (path: Path) => number | undefined): FleetFile {
  const parsed = fleetFile.safeParse(value);
  const complaints = parsed.success
    ? complaintsAbout(parsed.data)
    : parsed.error.issues.map((issue) => complaintAbout(issue, value)).sort(missingLast);
  if (parsed.success && complaints.length === 0) return parsed.data;
  const [first, ...more] = complaints;
  const others = more.length > 0 ? ` (and ${more.length} more)` : '';
  throw wrong(name, lineOf(first.path), `${fieldName(first.path)}${first.what}${others}`);
}

function wrong(name: string, line: number | undefined, what: string): SeedError {
  return usageError(
    `fleet ${name}${line === undefined ? '' : `, line ${line}`}: ${what.split('\n')[0]}`,
    'docs/fleets.md describes every field; "seed-database fleet" prints the default fleet as an example',
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

function complaintAbout(issue: z.core.$ZodIssue, value: unknown): Complaint {
  const { path } = issue;
  const given = path.reduce<unknown>((at, key) => (at as Record<PropertyKey, unknown>)?.[key], value);
  if (issue.code === 'unrecognized_keys') {
    const [key] = issue.keys;
    return { path: [...path, key], what: `is no field that there is${didYouMean(key, knownFields(path))}` };
  }
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

/** A field that is missing is often there under a misspelt name, which says more. */
function missingLast(one: Complaint, other: Complaint): number {
  return Number(one.what === MISSING) - Number(other.what === MISSING);
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

/** Where the value at a path begins; for a field that is not there, where its parent does. */
function offsetOf(document: YamlDocument, path: Path): number {
  for (let length = path.length; length >= 0; length--) {
    const parent = length === 0 ? undefined : document.getIn(path.slice(0, length - 1), true);
    const key = path[length - 1];
    if (isMap(parent)) {
      const pair = parent.items.find((item) => isScalar(item.key) && String(item.key.value) === String(key));
      if (pair && isNode(pair.key) && pair.key.range) return pair.key.range[0];
    }
    const node = document.getIn(path.slice(0, length), true);
    if (isNode(node) && node.range) return node.range[0];
  }
  return 0;
}

function textOf(path: string): string {
  try {
    if (statSync(path).size > MOST_BYTES) {
      throw usageError(
        `fleet ${path} has more than ${MOST_BYTES / 1024 / 1024} MB`,
        'describe one site, and multiply it with --scale',
      );
    }
    return readFileSync(path, 'utf8');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    throw usageError(`--fleet ${path} cannot be read: ${message}`, 'name a YAML or JSON file');
  }
}
