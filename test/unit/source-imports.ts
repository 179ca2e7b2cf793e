/** What the source says: its files, and what they import. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

export interface Import {
  /** Path from the root, with forward slashes. */
  readonly file: string;
  readonly room: string;
  /** As written. */
  readonly from: string;
  readonly typeOnly: boolean;
  /** The imported file of ours and its room; undefined for packages. */
  readonly target: { readonly file: string; readonly room: string } | undefined;
}

const STATEMENT =
  /(?:^|[;}\n])\s*(?:import|export)\s+(?<type>type\s+(?!from\b))?(?<names>[\w*\s{},$]*?)\s*from\s*['"](?<from>[^'"]+)['"]/g;
const BARE_OR_DYNAMIC =
  /(?:^|[;}\n])\s*import\s*['"](?<bare>[^'"]+)['"]|\bimport\(\s*['"](?<dynamic>[^'"]+)['"]/g;

/** All imports and re-exports of a source text. */
export function statementsOf(text: string): { from: string; typeOnly: boolean }[] {
  const source = text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');
  const found = [...source.matchAll(STATEMENT)].map(({ groups }) => {
    const { type, names = '', from = '' } = groups ?? {};
    const braces = /^\s*\{(?<inner>[^}]*)\}\s*$/.exec(names)?.groups?.inner;
    const each = braces?.split(',').filter((name) => name.trim() !== '');
    return {
      from,
      typeOnly: type !== undefined || (each?.every((name) => /^\s*type\s/.test(name)) ?? false),
    };
  });
  for (const { groups } of source.matchAll(BARE_OR_DYNAMIC)) {
    found.push({ from: groups?.bare ?? groups?.dynamic ?? '', typeOnly: false });
  }
  return found;
}

/**
 * `src/threads/pool.ts` is of the room `load`, `workers/x.ts` of `workers`, `src/index.ts` a room
 * of its own.
 */
export function roomOf(file: string): string {
  const [top, room] = file.split('/');
  return top === 'workers' ? top : room;
}

export function importsUnder(folder: string): Import[] {
  const names = readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' });
  return names
    .filter((name) => name.endsWith('.ts'))
    .flatMap((name) => {
      const path = join(ROOT, folder, name);
      const file = relative(ROOT, path).split(sep).join('/');
      return statementsOf(readFileSync(path, 'utf8')).map(({ from, typeOnly }) => ({
        file,
        room: roomOf(file),
        from,
        typeOnly,
        target: from.startsWith('.') ? targetOf(file, from) : undefined,
      }));
    });
}

function targetOf(file: string, from: string): Import['target'] {
  const target = posix.normalize(posix.join(dirname(file), from)).replace(/\.js$/, '.ts');
  return { file: target, room: roomOf(target) };
}

/** The source of a file without its comments. */
export function codeOf(file: string): string {
  return readFileSync(join(ROOT, file), 'utf8')
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/^\s*\/\/.*$/gm, '');
}

/** Those of `src`. */
export const files = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => `src/${name.split(sep).join('/')}`);
