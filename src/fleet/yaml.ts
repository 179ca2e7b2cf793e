/** A YAML or JSON text as a value, with the line of each of its fields. */
import {
  type Alias,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  type Scalar,
  type YAMLMap,
} from 'yaml';
import { FRAME_BYTES, nameBytes, plainBytes } from './schema.js';

/** What is wrong at a place of the text. */
export interface Mistake {
  readonly line: number | undefined;
  readonly what: string;
}

/** A text that was read. */
export interface ReadText {
  readonly value: unknown;
  /**
   * What has to be put right; the value of a text with other mistakes than names that are twice
   * there means nothing.
   */
  readonly mistakes: readonly Mistake[];
  readonly isUsable: boolean;
  /** How large the value is as BSON, at most, once all aliases are written out. */
  readonly bytes: number;
  lineOf(path: readonly PropertyKey[]): number;
}

/**
 * Merge keys (`<<`) are followed. Nothing is written out where that would take more than
 * `mostBytes`: a short text of aliases of aliases may stand for gigabytes.
 */
export function readYaml(text: string, mostBytes: number): ReadText {
  const lines = new LineCounter();
  const document = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    merge: true,
    logLevel: 'error',
  });
  const lineAt = (offset: number) => lines.linePos(offset).line;
  const mistakes = document.errors.map(({ pos, code, message }) => ({
    line: lineAt(pos[0]),
    what: code === 'MULTIPLE_DOCS' ? 'another document begins here; a fleet is one document' : message,
  }));
  const isUsable = document.errors.every(({ code }) => code === 'DUPLICATE_KEY');
  if (!isUsable) return { value: undefined, mistakes, isUsable, bytes: 0, lineOf: () => 1 };
  const tree = new YamlTree(document.contents);
  mistakes.push(...tree.mistakes.map(({ offset, what }) => ({ line: lineAt(offset), what })));
  const isSound = tree.mistakes.length === 0 && tree.bytes <= mostBytes;
  return {
    value: isSound ? tree.value() : undefined,
    mistakes,
    isUsable: isSound,
    bytes: tree.bytes,
    lineOf: (path) => lineAt(tree.offsetOf(path)),
  };
}

/**
 * The nodes of a text with its aliases resolved, each one looked at once. The library's own way
 * looks through all aliases for each of them, and counts what it refuses by their number, not by
 * what they stand for.
 */
class YamlTree {
  readonly mistakes: { readonly offset: number; readonly what: string }[] = [];
  /** Of the value as BSON, at most: merged fields that are written over count, too. */
  readonly bytes: number;
  readonly #targets = new Map<Alias, unknown>();
  readonly #anchors = new Map<string, unknown>();
  readonly #bytes = new Map<unknown, number>();
  readonly #open = new Set<unknown>();
  readonly #values = new Map<unknown, unknown>();

  constructor(readonly root: unknown) {
    this.bytes = this.#bytesOf(root);
  }

  /** Plain data. What several aliases stand for is there once, and shared. */
  value(node: unknown = this.root): unknown {
    if (isAlias(node)) return this.value(this.#targets.get(node));
    if (isScalar(node)) return node.value;
    const known = this.#values.get(node);
    if (known !== undefined) return known;
    const made = isSeq(node) ? node.items.map((item) => this.value(item)) : this.#fieldsOf(node);
    this.#values.set(node, made);
    return made;
  }

  /** Where the value at a path begins; for a field that is not there, where its parent does. */
  offsetOf(path: readonly PropertyKey[]): number {
    let node = this.root;
    let offset = startOf(node) ?? 0;
    for (const key of path) {
      const parent = this.#resolved(node);
      if (isMap(parent)) {
        const pair = this.#pairOf(parent, String(key));
        if (!pair) break;
        offset = startOf(pair.key) ?? offset;
        node = pair.value;
      } else if (isSeq(parent) && isNode(parent.items[Number(key)])) {
        node = parent.items[Number(key)];
        offset = startOf(node) ?? offset;
      } else break;
    }
    return offset;
  }

  #bytesOf(node: unknown): number {
    if (isAlias(node)) return this.#bytesOfAlias(node);
    if (isNode(node) && node.anchor) this.#anchors.set(node.anchor, node);
    this.#open.add(node);
    const bytes = this.#count(node);
    this.#open.delete(node);
    this.#bytes.set(node, bytes);
    return bytes;
  }

  #bytesOfAlias(alias: Alias): number {
    const target = this.#anchors.get(alias.source);
    if (target === undefined) return this.#wrong(alias, `*${alias.source} stands for nothing above it`);
    if (this.#open.has(target))
      return this.#wrong(alias, `*${alias.source} stands for something that it is in`);
    this.#targets.set(alias, target);
    return this.#bytes.get(target) ?? 0;
  }

  #count(node: unknown): number {
    if (isScalar(node)) return plainBytes(node.value);
    let bytes = FRAME_BYTES;
    if (isSeq(node)) {
      for (const [index, item] of node.items.entries())
        bytes += nameBytes(String(index)) + this.#bytesOf(item);
    } else if (isMap(node)) {
      for (const pair of node.items) bytes += this.#bytesOfPair(pair);
    }
    return bytes;
  }

  #bytesOfPair({ key, value }: Pair): number {
    const bytes = this.#bytesOf(value);
    if (!isMergeKey(key)) return nameBytes(keyText(key)) + bytes;
    for (const source of this.#sources(value)) {
      if (!isMap(this.#resolved(source))) {
        this.#wrong(isNode(source) ? source : key, '<< must be followed by *name of fields above it');
      }
    }
    return bytes;
  }

  #wrong(node: Node, what: string): 0 {
    this.mistakes.push({ offset: startOf(node) ?? 0, what });
    return 0;
  }

  #fieldsOf(node: unknown): Record<string, unknown> | null {
    if (!isMap(node)) return null;
    const fields: Record<string, unknown> = {};
    const put = (name: string, value: unknown) =>
      Object.defineProperty(fields, name, { value, enumerable: true, writable: true, configurable: true });
    for (const { key, value } of node.items) if (!isMergeKey(key)) put(keyText(key), this.value(value));
    for (const source of this.#mergedInto(node)) {
      const merged = this.value(source) as Readonly<Record<string, unknown>>;
      for (const [name, value] of Object.entries(merged)) if (!Object.hasOwn(fields, name)) put(name, value);
    }
    return fields;
  }

  /** A field of its own, or one that is merged into it. */
  #pairOf(map: YAMLMap, name: string): Pair | undefined {
    const own = map.items.findLast(({ key }) => !isMergeKey(key) && keyText(key) === name);
    if (own) return own;
    for (const source of this.#mergedInto(map)) {
      const from = this.#resolved(source);
      const found = isMap(from) ? this.#pairOf(from, name) : undefined;
      if (found) return found;
    }
    return undefined;
  }

  #mergedInto({ items }: YAMLMap): unknown[] {
    return items.flatMap(({ key, value }) => (isMergeKey(key) ? this.#sources(value) : []));
  }

  #sources(value: unknown): readonly unknown[] {
    const source = this.#resolved(value);
    return isSeq(source) ? source.items : [value];
  }

  #resolved(node: unknown): unknown {
    return isAlias(node) ? this.#targets.get(node) : node;
  }
}

function startOf(node: unknown): number | undefined {
  return isNode(node) ? node.range?.[0] : undefined;
}

function isMergeKey(key: unknown): key is Scalar {
  if (!isScalar(key) || (key.type !== undefined && key.type !== 'PLAIN')) return false;
  return key.value === '<<' || (typeof key.value === 'symbol' && key.value.description === '<<');
}

function keyText(key: unknown): string {
  return isScalar(key) ? String(key.value) : String(key);
}
