/**
 * A load as the manual's tree: with a live bar on a terminal, with a line now and then elsewhere.
 */
import type { LogLevel } from '../config/settings.js';
import { count, END, FORK, INDENT, percent } from './format.js';
import { bar, LiveBar, PROGRESS_EVERY_MS, progressLine } from './live-bar.js';
import {
  assetLines,
  cleanedLines,
  connectedLines,
  recordLines,
  startedLines,
  TITLE,
  total,
} from './load-text.js';
import type { Screen } from './screen.js';
import { endingLines, type Hints } from './summary-text.js';
import type { Failure, LoadEvent, LoadProgress, LoadStarted, LoadSummary, Reporter } from './types.js';
import { hanging, oneLine } from './width.js';

const LEVELS: readonly LogLevel[] = ['debug', 'info', 'warning', 'error'];
const FINAL_BAR_WIDTH = 22;

export interface TreeReporterOptions {
  /** Where the tree goes. */
  readonly screen: Screen;
  /** Where failures go. */
  readonly errors: Screen;
  readonly level: LogLevel;
  readonly hints: () => Hints;
  readonly now: () => Date;
}

export class TreeReporter implements Reporter {
  readonly #live: LiveBar;
  #begun = false;
  #started: LoadStarted | undefined;
  /** True while the tree of records waits for its last branch. */
  #open = false;
  #last: LoadProgress | undefined;
  #nextLineMs = PROGRESS_EVERY_MS;

  constructor(readonly options: TreeReporterOptions) {
    this.#live = new LiveBar(options.screen, options.now);
  }

  on(event: LoadEvent): void {
    this.#begin();
    switch (event.type) {
      case 'notice':
        this.#notice(event.level, event.message);
        break;
      case 'connected':
        this.#block(connectedLines(event.server, event.database));
        break;
      case 'cleaned':
        this.#block(cleanedLines(event.collections));
        break;
      case 'started':
        this.#started = event;
        this.#block(startedLines(event));
        break;
      case 'assetsWritten':
        this.#block(assetLines(event.assets));
        this.#openRecords();
        break;
      case 'progress':
        this.#progress(event);
        break;
      case 'indexing':
        this.#branch(event.message);
        break;
    }
  }

  finish(summary: LoadSummary): void {
    this.#begin();
    this.#closeRecords();
    const [headline, ...lines] = endingLines(summary, this.options.hints());
    const interrupted = summary.status === 'interrupted';
    this.#block([headline], interrupted ? 'warning' : 'good');
    const last = lines.pop();
    this.options.screen.print(lines);
    if (last !== undefined) this.options.screen.print([last], 'good');
  }

  fail(failure: Failure): void {
    this.#closeRecords();
    this.options.errors.fail(failure);
  }

  /** Takes what moves off the terminal, for something else to be printed. */
  pause(): void {
    this.#live.clear();
  }

  /** The program ends in the middle: the shell's prompt gets a line of its own. */
  abandon(): void {
    this.#live.clear();
    if (this.#open && this.options.screen.interactive) this.options.screen.print(['']);
  }

  async close(): Promise<void> {
    this.#live.clear();
  }

  #begin(): void {
    if (this.#begun) return;
    this.#begun = true;
    this.options.screen.print([TITLE], 'heading');
  }

  #block([heading, ...lines]: readonly string[], tone: 'heading' | 'good' | 'warning' = 'heading'): void {
    this.#live.clear();
    this.options.screen.print(['']);
    this.options.screen.print([heading], tone);
    this.options.screen.print(lines);
  }

  #notice(level: LogLevel, message: string): void {
    if (LEVELS.indexOf(level) < LEVELS.indexOf(this.options.level)) return;
    const text = oneLine(message);
    if (level === 'warning') this.#branch(`⚠️  ${text}`, 'warning');
    else if (level === 'error') this.#branch(`❌ ${text}`, 'bad');
    else this.#branch(text);
  }

  /**
   * A line of the open tree of records, or one that stands for itself; broken where a terminal
   * would break it.
   */
  #branch(text: string, tone: 'plain' | 'warning' | 'bad' = 'plain'): void {
    this.#live.clear();
    const { screen } = this.options;
    if (!this.#open) screen.note(text, tone);
    else screen.print(hanging(text, screen.wrapWidth, INDENT + FORK, `${INDENT}│   `), tone);
  }

  #openRecords(): void {
    if (this.#open || this.#started === undefined || total(this.#started.planned) === 0) return;
    this.#block(recordLines(this.#started));
    this.#open = true;
  }

  #progress(progress: LoadProgress): void {
    this.#openRecords();
    if (!this.#open) return;
    this.#last = progress;
    if (this.options.screen.interactive) {
      this.#live.show(progress);
    } else if (progress.elapsedMs >= this.#nextLineMs && progress.acknowledged < progress.planned) {
      this.#nextLineMs = progress.elapsedMs + PROGRESS_EVERY_MS;
      this.#branch(progressLine(progress, this.options.now()));
    }
  }

  /** Closes the tree of records with how far it came. */
  #closeRecords(): void {
    this.#live.clear();
    if (!this.#open) return;
    this.#open = false;
    const { acknowledged = 0, planned = 0 } = this.#last ?? {};
    const share = `${percent(acknowledged, planned)}% (${count(acknowledged)}/${count(planned)})`;
    const room = this.options.screen.wrapWidth - (INDENT + END + share).length - 1;
    const drawn = room < FINAL_BAR_WIDTH ? '' : `${bar(acknowledged, planned, FINAL_BAR_WIDTH)} `;
    this.options.screen.print([`${INDENT}${END}${drawn}${share}`]);
  }
}
