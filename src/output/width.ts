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

/**
 * The text in lines of at most so many cells, broken between words; a word that is wider stands
 * whole.
 */
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
 * A line of a tree, or one that stands for itself, in lines no wider than `width`: broken between
 * words, what goes on under the first one's text. Blanks that make columns stay where they are in
 * the line; a command to be copied stays whole.
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

/**
 * The text in lines no wider than `width`, the first one after `first`, those below after `rest`.
 */
export function hanging(text: string, width: number, first: string, rest: string): string[] {
  const room = width - Math.max(widthOf(first), widthOf(rest));
  return wrap(text, room).map((line, index) => (index === 0 ? first : rest) + line);
}

// Which characters a terminal is sent. One choice for the whole program: it follows from the
// surroundings, and from `--ascii`. What stands for another character fills as many cells, so that
// whatever was fitted still fits.

/** As drawn; a second cell is kept where there was one. */
const PLAIN: Readonly<Record<string, string>> = {
  '✅': 'OK',
  '❌': '!!',
  '⚠': '!',
  '🏗': '=',
  '🎯': '=>',
  '├': '|',
  '└': '`',
  '│': '|',
  '─': '-',
  '█': '#',
  '▇': '*',
  '▆': '+',
  '▅': '=',
  '▄': '-',
  '▃': ':',
  '▂': '.',
  '▁': '_',
  '░': '.',
  '·': '-',
  '–': '-',
  '—': '-',
  '−': '-',
  '→': '-',
  '×': 'x',
  '…': '~',
  '’': "'",
  '“': '"',
  '”': '"',
};
const HEADING = '==';
const BEYOND_ASCII = /[^\0-\x7f]/gu;
/** Accents that a letter was taken apart into, joiners, and what makes a sign an emoji. */
const ADDS_NOTHING = /[\p{M}\p{Cf}]/gu;

let plain = false;

/** @param asked `--ascii` was given */
export function chooseCharacters(
  environment: Readonly<Record<string, string | undefined>>,
  asked: boolean,
): void {
  plain = asked || !showsUnicode(environment);
}

/**
 * The first of the three variables that says something decides, as everywhere. Where none does,
 * nothing is known, and what collects output today takes UTF-8. The console of Linux has UTF-8, and
 * a font without emoji.
 */
function showsUnicode({
  LC_ALL,
  LC_CTYPE,
  LANG,
  TERM,
}: Readonly<Record<string, string | undefined>>): boolean {
  const locale = LC_ALL || LC_CTYPE || LANG;
  return TERM !== 'linux' && (!locale || /utf-?8/i.test(locale));
}

/** A text in the characters that were chosen. */
export function inCharacters(text: string): string {
  return plain ? toAscii(text) : text;
}

/**
 * A text in ASCII alone. Letters lose their accents; what has no likeness becomes question marks.
 */
export function toAscii(text: string): string {
  return text
    .replace(BEYOND_ASCII, (character) => PLAIN[character] ?? character)
    .normalize('NFKD')
    .replace(ADDS_NOTHING, '')
    .replace(BEYOND_ASCII, likeness);
}

function likeness(character: string): string {
  if (/\p{Emoji_Presentation}/u.test(character)) return HEADING;
  return widthOf(character) === 2 ? '??' : '?';
}

// Text from elsewhere (names in a database, a server's messages, fleet files, paths) that a
// terminal may be sent. What rules a terminal is taken out where text leaves the program, in one
// place: whoever writes a line cannot forget it.

/**
 * Control codes, line breaks of every kind, and the marks that turn the direction of what follows.
 */
const RULING = /[\p{Cc}\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;
const BLANK = /[\s\p{Cc}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]+/gu;

/** A line that rules nothing; its blanks stay. Colours are put on afterwards. */
export function harmless(line: string): string {
  return line.replace(RULING, ' ');
}

/**
 * One line whatever a message holds: no line breaks, no control codes, one blank where there were
 * several.
 */
export function oneLine(text: string): string {
  return text.replace(BLANK, ' ').trim();
}

/** What JSON leaves as it is, and a terminal may obey, as the escapes that JSON has for it. */
export function jsonText(value: unknown, indent?: number): string {
  return escaped(JSON.stringify(value, null, indent));
}

/** The text with `\u` escapes inside its quoted strings; line breaks between them stay. */
export function escaped(text: string): string {
  return text.replace(RULING, (character) =>
    character === '\n' ? character : `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** True for a text that {@link harmless} would change. */
export function isHarmful(text: string): boolean {
  return harmless(text) !== text;
}
