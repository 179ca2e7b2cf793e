/**
 * A stream that people read (a terminal, or a file or pipe that must get plain text), and failures
 * as they stand on it.
 */
import { END, INDENT } from './format.js';
import { commandAtEnd } from './shell.js';
import type { Failure, FailureResult } from './types.js';
import { fold, hanging, harmless, inCharacters, oneLine, widthOf } from './width.js';

/** What is needed of a stream; `process.stdout` and `process.stderr` are such. */
export type OutputStream = NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number };

export type Tone = 'plain' | 'heading' | 'good' | 'warning' | 'bad';

const COMMON_WIDTH = 80;
const DIM = ['\u001b[2m', '\u001b[22m'] as const;
const TONES: Readonly<Record<Tone, readonly [on: string, off: string]>> = {
  plain: ['', ''],
  heading: ['\u001b[1m', '\u001b[22m'],
  good: ['\u001b[1;32m', '\u001b[22;39m'],
  warning: ['\u001b[33m', '\u001b[39m'],
  bad: ['\u001b[1;31m', '\u001b[22;39m'],
};
const TREE_LINES = /^[ │├└─]+(?=\S)/u;

export class Screen {
  /** A terminal that can move its cursor. */
  readonly interactive: boolean;
  readonly #colored: boolean;

  constructor(
    readonly stream: OutputStream,
    color: boolean,
    /** As `TERM` names it. */
    terminal: string | undefined,
  ) {
    this.interactive = stream.isTTY === true && terminal !== 'dumb';
    this.#colored = color && this.interactive;
  }

  /**
   * Cells of a line that no terminal wraps: the last column is left free. Asked anew each time,
   * windows change.
   */
  get width(): number {
    return Math.max(1, (this.stream.columns || COMMON_WIDTH) - 1);
  }

  /** Where text has to be broken: nowhere in a file. */
  get wrapWidth(): number {
    return this.interactive ? this.width : Number.POSITIVE_INFINITY;
  }

  /** A message that belongs to no tree. */
  note(text: string, tone: Tone = 'plain'): void {
    const [first, rest] = tone === 'plain' ? ['   · ', '     '] : ['   ', '       '];
    this.print(hanging(oneLine(text), this.wrapWidth, first, rest), tone);
  }

  /** A failure, as bad as it looks. */
  fail(failure: Failure): void {
    for (const [index, line] of failureLines(failure, this.wrapWidth).entries()) {
      this.print([line], index === 0 ? 'bad' : 'plain');
    }
    if (failure.trace) this.print(failure.trace.split('\n'));
  }

  /**
   * Writes lines, broken where a terminal would break them and coloured where that is wanted: the
   * tree's own lines faint, the text in the tone. What a line holds of control codes comes from
   * elsewhere and is taken out.
   */
  print(lines: readonly string[], tone: Tone = 'plain'): void {
    if (lines.length === 0) return;
    const shown = lines.flatMap((line) => fold(harmless(line), this.wrapWidth));
    this.stream.write(shown.map((line) => `${this.#paint(line, tone)}\n`).join(''));
  }

  #paint(line: string, tone: Tone): string {
    if (!this.#colored || line === '') return inCharacters(line);
    const [lead] = TREE_LINES.exec(line) ?? [''];
    const [on, off] = TONES[tone];
    const text = `${on}${inCharacters(line.slice(lead.length))}${off}`;
    return lead === '' ? text : `${DIM[0]}${inCharacters(lead)}${DIM[1]}${text}`;
  }
}

// A failure as the user reads it.

/**
 * The cause in one line, what else is wrong in others, and the way out in another where there is
 * one.
 * @param width breaks them where a terminal of so many cells would
 */
export function failureLines(
  { message, details = [], remedy }: Pick<Failure, 'message' | 'details' | 'remedy'>,
  width = Number.POSITIVE_INFINITY,
): string[] {
  return [
    ...hanging(oneLine(message), width, '❌ ', INDENT),
    ...details.flatMap((detail) => hanging(oneLine(detail), width, INDENT, `${INDENT}    `)),
    ...remedyLines(oneLine(remedy), width),
  ];
}

function remedyLines(remedy: string, width: number): string[] {
  if (remedy === '') return [];
  const [first, rest] = [INDENT + END, `${INDENT}    `];
  const [lead, command] = commandAtEnd(remedy) ?? [];
  if (lead === undefined || widthOf(first + remedy) <= width) return hanging(remedy, width, first, rest);
  return [...hanging(lead, width, first, rest), `${rest}${command}`];
}

/** The JSON object of a failure. */
export function failureResult({ exitStatus, message, details = [], remedy }: Failure): FailureResult {
  return {
    status: 'failed',
    exitStatus,
    error: oneLine(message),
    ...(details.length > 0 ? { details: details.map(oneLine) } : {}),
    remedy: oneLine(remedy),
  };
}
