/** How much room text takes on a terminal. */

/** Marks that add no width: combining ones, joiners, variation selectors. */
const NO_WIDTH = /[\p{Mn}\p{Me}\p{Cf}\p{Cc}]/u;
/** Emoji and the scripts of East Asia fill two cells. */
const TWO_CELLS =
  /[\p{Emoji_Presentation}\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}]/u;

/** Cells that a text fills. */
export function widthOf(text: string): number {
  let width = 0;
  for (const character of text) width += cellsOf(character);
  return width;
}

function cellsOf(character: string): number {
  if (character >= ' ' && character <= '~') return 1;
  if (NO_WIDTH.test(character)) return 0;
  return TWO_CELLS.test(character) ? 2 : 1;
}

/** The text, cut with an ellipsis where it is wider than `width`. */
export function cut(text: string, width: number): string {
  if (widthOf(text) <= width) return text;
  let kept = '';
  let room = width - 1;
  for (const character of text) {
    room -= cellsOf(character);
    if (room < 0) break;
    kept += character;
  }
  return width > 0 ? `${kept}…` : '';
}

/** The first of the texts, richest first, that fits; the last one is cut where none does. */
export function firstThatFits(width: number, texts: readonly string[]): string {
  return texts.find((text) => widthOf(text) <= width) ?? cut(texts[texts.length - 1] ?? '', width);
}

/** The text in lines of at most so many cells, broken between words; a word that is wider stands whole. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const longer = lines.length === 0 ? word : `${lines[lines.length - 1]} ${word}`;
    if (lines.length > 0 && widthOf(longer) > width) lines.push(word);
    else lines.splice(-1, 1, longer);
  }
  return lines;
}

/** What stands before a branch's text. */
const LEAD = /^[ │├└─]*/u;
/** A command at a line's end, which a line break of ours would spoil for whoever copies it. */
const COMMAND = /(?<=: )(?:seed-database|npm run|mongosh|mongorestore) .*$/;

/**
 * A line of a tree, or one that stands for itself, in lines no wider than `width`: broken between words, what goes on under
 * the first one's text. Blanks that make columns stay where they are in the line; a command to be copied stays whole.
 */
export function fold(line: string, width: number): string[] {
  if (widthOf(line) <= width) return [line];
  const [lead] = LEAD.exec(line) ?? [''];
  // Under a heading's sign there is nothing; other text has none.
  const below = /^[\p{L}\p{N}'"[-]/u.test(line) ? '' : '   ';
  const rest = lead === '' ? below : lead.replace('├──', '│  ').replace('└──', '   ');
  const [command] = COMMAND.exec(line) ?? [''];
  const text = line.slice(lead.length, line.length - command.length).trimEnd();
  const folded = hanging(text, width, lead, rest).map((part) => part.trimEnd());
  return command === '' ? folded : [...folded, rest + command];
}

/** The text in lines no wider than `width`, the first one after `first`, those below after `rest`. */
export function hanging(text: string, width: number, first: string, rest: string): string[] {
  const room = width - Math.max(widthOf(first), widthOf(rest));
  return wrap(text, room).map((line, index) => (index === 0 ? first : rest) + line);
}
