/**
 * Text from elsewhere (names in a database, a server's messages, fleet files, paths) that a terminal may be sent. What rules a
 * terminal is taken out where text leaves the program, in one place: whoever writes a line cannot forget it.
 */

/** Control codes, line breaks of every kind, and the marks that turn the direction of what follows. */
const RULING = /[\p{Cc}\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;
const BLANK = /[\s\p{Cc}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]+/gu;

/** A line that rules nothing; its blanks stay. Colours are put on afterwards. */
export function harmless(line: string): string {
  return line.replace(RULING, ' ');
}

/** One line whatever a message holds: no line breaks, no control codes, one blank where there were several. */
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
