/** The manual's tree: a heading, and under it branches drawn with ├── and └──. */

/** A line of a tree, or one with lines of its own below it. */
export type Branch = string | readonly [text: string, branches: readonly Branch[]];

export const INDENT = '   ';
export const FORK = '├── ';
export const END = '└── ';

/** The lines of some branches, the last one closing the tree. */
export function tree(branches: readonly Branch[], indent = INDENT): string[] {
  return branches.flatMap((branch, index) => {
    const last = index === branches.length - 1;
    const [text, below] = typeof branch === 'string' ? [branch, []] : branch;
    return [`${indent}${last ? END : FORK}${text}`, ...tree(below, `${indent}${last ? '    ' : '│   '}`)];
  });
}

/** Names and values side by side, as branches whose values stand in one column. */
export function columns(rows: readonly (readonly [name: string, value: string])[]): string[] {
  const name = Math.max(0, ...rows.map((row) => row[0].length));
  const value = Math.max(0, ...rows.map((row) => row[1].length));
  return rows.map((row) => `${row[0].padEnd(name)}  ${row[1].padStart(value)}`);
}
