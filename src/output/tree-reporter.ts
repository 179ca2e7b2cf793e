/** A load as the manual's tree: a live bar on a terminal, a line now and then elsewhere. */
import { createRequire } from 'node:module';
import type { MultiBar } from 'cli-progress';
import type { LogLevel } from '../config/settings.js';
import { clock, count, duration, END, FORK, INDENT, percent, utcMinute } from './format.js';
import type { Screen } from './screen.js';
import { endingLines, type Hints } from './summary-text.js';
import {
  assetLines,
  cleanedLines,
  connectedLines,
  recordLines,
  startedLines,
  TITLE,
  total,
} from './tree-text.js';
import type { Failure, LoadEvent, LoadProgress, LoadStarted, LoadSummary, Reporter } from './types.js';
import { cut, firstThatFits, hanging, harmless, inCharacters, oneLine, widthOf } from './width.js';

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

// The two lines that move at the bottom of a terminal while records load.

const FRAMES_PER_SECOND = 5;

export class LiveBar {
  #bars: MultiBar | undefined;
  #progress: LoadProgress | undefined;

  constructor(
    readonly screen: Screen,
    readonly now: () => Date,
  ) {}

  /** Shows the lines, or moves them on. */
  show(progress: LoadProgress): void {
    this.#progress = progress;
    this.#bars ??= this.#start();
  }

  /**
   * Takes the lines off the terminal; the next `show` brings them back below whatever was printed
   * meanwhile.
   */
  clear(): void {
    this.#bars?.stop();
    this.#bars = undefined;
  }

  #start(): MultiBar {
    // Needed on a terminal only, so loaded there only.
    const { MultiBar } = createRequire(import.meta.url)('cli-progress') as typeof import('cli-progress');
    const bars = new MultiBar({
      stream: this.screen.stream,
      fps: FRAMES_PER_SECOND,
      clearOnComplete: true,
      // What the text before it may have changed is drawn over each time.
      forceRedraw: true,
      // The terminal's modes stay as they are, so a killed loader leaves nothing to repair.
      hideCursor: null,
      linewrap: true,
      gracefulExit: false,
    });
    const line = (text: (progress: LoadProgress, width: number) => string, lead: string) => {
      const format = () =>
        inCharacters(
          lead + (this.#progress ? harmless(text(this.#progress, this.screen.width - lead.length)) : ''),
        );
      bars.create(1, 0, {}, { format });
    };
    line(barLine, INDENT + FORK);
    line((progress, width) => currentLine(progress, width, this.now()), INDENT + END);
    bars.update();
    return bars;
  }
}

// Progress in words, for a terminal of any width and for a log. Pure.

/** Milliseconds between two lines about progress in a log and wherever there is no terminal. */
export const PROGRESS_EVERY_MS = 3_000;

const WIDEST_BAR = 30;
const NARROWEST_BAR = 14;
const DOT = ' · ';

/** `[████░░░░]` of so many cells, brackets included. */
export function bar(done: number, total: number, width: number): string {
  const cells = Math.max(0, width - 2);
  const share = total > 0 ? Math.min(1, Math.max(0, done / total)) : 1;
  const full = Math.floor(share * cells + 1e-9);
  return `[${'█'.repeat(full)}${'░'.repeat(cells - full)}]`;
}

/**
 * The first of the two live lines: how far, how fast, how long still. The bar's width follows from
 * the widest figures that can come, so that it stays where it is while they change.
 */
export function barLine(progress: LoadProgress, width: number): string {
  const { acknowledged, planned } = progress;
  const widest = barTexts({ ...progress, acknowledged: planned, rate: 9_999_999, remainingMs: 3_599_000 });
  const texts = barTexts(progress);
  for (const [index, text] of widest.entries()) {
    const room = Math.min(WIDEST_BAR, width - widthOf(text) - 1);
    if (room >= NARROWEST_BAR) return cut(`${bar(acknowledged, planned, room)} ${texts[index]}`, width);
  }
  return cut(texts[texts.length - 1], width);
}

/** What stands beside the bar, richest first. */
function barTexts({ acknowledged, planned, rate, remainingMs }: LoadProgress): string[] {
  const share = `${percent(acknowledged, planned).padStart(3)}%`;
  const all = count(planned);
  const counts = `${share} ${count(acknowledged).padStart(all.length)}/${all}`;
  const left = timeLeft(remainingMs);
  return [
    `${counts}${DOT}${count(rate)} records/s${left && DOT}${left}`,
    `${counts}${DOT}${count(rate)}/s${left && DOT}${left}`,
    `${counts}${DOT}${count(rate)}/s`,
    counts,
    share,
  ];
}

/** The second one: where the load is, how long a batch takes, and when it will be done. */
export function currentLine(progress: LoadProgress, width: number, now: Date): string {
  const eta = etaOf(progress, now);
  const figures = [batchTime(progress), eta && `ETA ${eta}`].filter((part) => part !== '');
  const { current } = progress;
  if (current === undefined) return cut(['waiting for the first batch', ...figures].join(DOT), width);
  const room = width - widthOf([...figures, ''].join(DOT));
  const { assetId, name, metric, until } = current;
  const series = `${assetId} (${name}) ${metric}`;
  const shortest = widthOf(metric) + 4;
  if (room < shortest) return firstThatFits(width, [figures.join(DOT), eta, '']);
  const texts = [`${series} ${utcMinute(until)}`, series, `${assetId} ${metric}`];
  const text = texts.find((candidate) => widthOf(candidate) <= room);
  return [text ?? `${cut(assetId, room - widthOf(metric) - 1)} ${metric}`, ...figures].join(DOT);
}

/** One line for a file or a pipe. */
export function progressLine(progress: LoadProgress, now: Date): string {
  const { acknowledged, planned, rate, remainingMs } = progress;
  const eta = etaOf(progress, now);
  const left = timeLeft(remainingMs);
  return [
    `${percent(acknowledged, planned, 1)}% (${count(acknowledged)}/${count(planned)})`,
    `${count(rate)} records/s`,
    left && `${left}, ETA ${eta}`,
  ]
    .filter((part) => part !== '')
    .join(', ');
}

/** Clock time of the end; empty where nobody can tell, or nothing is left. */
function etaOf({ remainingMs }: LoadProgress, now: Date): string {
  if (remainingMs === undefined || remainingMs <= 0) return '';
  const end = new Date(now.getTime() + remainingMs);
  return Number.isNaN(end.getTime()) ? '' : clock(end, now);
}

/** `2m 15s left`; empty where nobody can tell, or nothing is left. No fractions: it is a guess. */
function timeLeft(remainingMs: number | undefined): string {
  if (remainingMs === undefined || remainingMs <= 0) return '';
  const seconds = Math.ceil(remainingMs / 1000);
  return `${seconds < 60 ? `${seconds}s` : duration(seconds * 1000)} left`;
}

function batchTime({ batchMs }: LoadProgress): string {
  if (batchMs <= 0) return '';
  return `batch ${batchMs < 10 ? `${batchMs.toFixed(1)}ms` : duration(batchMs)}`;
}
