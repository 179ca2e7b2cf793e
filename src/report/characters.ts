/**
 * Which characters a terminal is sent. One choice for the whole program: it follows from the surroundings, and from `--ascii`.
 * What stands for another character fills as many cells, so that whatever was fitted still fits.
 */
import { widthOf } from './width.js';

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
 * The first of the three variables that says something decides, as everywhere. Where none does, nothing is known, and what
 * collects output today takes UTF-8. The console of Linux has UTF-8, and a font without emoji.
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

/** A text in ASCII alone. Letters lose their accents; what has no likeness becomes question marks. */
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
