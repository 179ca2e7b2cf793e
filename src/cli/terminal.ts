/** Signals that ask the program to stop, progress, and standard output that somebody reads. */
import { createInterface } from 'node:readline/promises';
import type { Settings } from '../config/settings.js';
import { ExitStatus } from '../errors.js';
import { count, percent } from '../output/format.js';
import type { Screen } from '../output/screen.js';
import { bar, PROGRESS_EVERY_MS } from '../output/tree-reporter.js';
import type { Failure } from '../output/types.js';
import { cut, harmless, inCharacters } from '../output/width.js';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

export interface Interrupts {
  /** Aborted by the first signal. */
  readonly signal: AbortSignal;
  /** Gives the signals back to their defaults. */
  stop(): void;
}

/**
 * The first signal asks for an orderly stop and is announced. Only a second SIGINT is a person who
 * cannot wait, and ends the process at once: a terminal that closes, or whoever shuts a machine
 * down, may send the same signal several times.
 * @param quit tells the last line, which the caller completes with the way to go on
 */
export function listenForInterrupts(
  announce: (message: string) => void,
  quit: (failure: Failure) => void,
): Interrupts {
  const controller = new AbortController();
  let impatient = false;
  const interrupted = (signal: NodeJS.Signals) => {
    const byHand = signal === 'SIGINT';
    if (byHand && impatient) {
      const message = 'Ctrl-C again: quit at once, in the middle of the work';
      quit({ exitStatus: ExitStatus.interrupted, message, remedy: '' });
      process.exit(ExitStatus.interrupted);
    }
    if (controller.signal.aborted && !byHand) return;
    impatient = byHand;
    controller.abort();
    announce(`${signal}: finishing the batches in flight${byHand ? '; Ctrl-C again quits at once' : ''}`);
  };
  for (const signal of SIGNALS) process.on(signal, interrupted);
  return {
    signal: controller.signal,
    stop: () => {
      for (const signal of SIGNALS) process.off(signal, interrupted);
    },
  };
}

// The question before something irreversible.

/**
 * Asks before `--clean` removes data of a production database. Without a person at a terminal
 * nothing is asked and the load refuses by itself.
 */
export async function confirmClean(settings: Settings): Promise<Settings> {
  const { load, connection } = settings;
  const guarded = load.existing === 'clean' && load.environment === 'production' && !load.confirmed;
  if (!guarded || !isPersonThere()) return settings;
  const isConfirmed = await askForName(
    'This removes the data of the production database',
    connection.database,
  );
  return isConfirmed ? { ...settings, load: { ...load, confirmed: true } } : settings;
}

/**
 * How to ask before something is removed that is not this program's; undefined where there is no
 * person to ask.
 */
export function askToRemove({ connection }: Settings): ((what: string) => Promise<boolean>) | undefined {
  return isPersonThere() ? (what) => asksForName(harmless(what), connection.database) : undefined;
}

function isPersonThere(): boolean {
  return process.stdin.isTTY === true && process.stderr.isTTY === true;
}

/**
 * Asks whether the person at the terminal means the database of this name; undefined where there is
 * nobody.
 */
export function askForName(what: string, name: string): Promise<boolean> | undefined {
  return isPersonThere() ? asksForName(`${what} ${harmless(name)}.`, name) : undefined;
}

async function asksForName(what: string, name: string): Promise<boolean> {
  const prompt = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return (await prompt.question(`${what} Type the database's name to go on: `)).trim() === name;
  } finally {
    prompt.close();
  }
}

// Progress of a command that is no load: a line that is drawn over on a terminal, and one now and
// then elsewhere.

/** One line that is drawn over on a terminal, and not shown elsewhere. */
export class LiveLine {
  #drawn = false;

  constructor(readonly screen: Screen) {}

  /** @param text of this program alone: nothing of a database or a file */
  show(text: string): void {
    const { interactive, stream, width } = this.screen;
    if (!interactive) return;
    stream.write(`\r\u001b[K${inCharacters(cut(text, width))}`);
    this.#drawn = true;
  }

  end(): void {
    if (this.#drawn) this.screen.stream.write('\r\u001b[K');
    this.#drawn = false;
  }
}

export class Progress {
  #started = performance.now();
  #said = performance.now();
  readonly #live: LiveLine | undefined;

  constructor(readonly screen: Screen | undefined) {
    this.#live = screen && new LiveLine(screen);
  }

  show(done: number, planned: number): void {
    if (!this.screen) return;
    const now = performance.now();
    const { interactive, width } = this.screen;
    if (interactive) {
      this.#live?.show(progressText(done, planned, now - this.#started, width));
    } else if (now - this.#said >= PROGRESS_EVERY_MS) {
      this.screen.print([progressText(done, planned, now - this.#started)]);
      this.#said = now;
    }
  }

  /** Takes the line away; the next one begins anew. */
  end(): void {
    this.#live?.end();
    this.#started = performance.now();
  }
}

/**
 * How far the comparison is.
 * @param width of a line that is drawn over, with a bar; undefined for one of many, without
 */
function progressText(compared: number, planned: number, elapsedMs: number, width?: number): string {
  const rate = elapsedMs > 0 ? (compared / elapsedMs) * 1000 : 0;
  const share = `${percent(compared, planned)}%`;
  const counts = `${count(compared)}/${count(planned)}`;
  const full = `${share} (${counts} records) · ${count(rate)} records/s`;
  if (width === undefined) return full;
  for (const text of [full, `${share} (${counts})`, share]) {
    const room = Math.min(BAR_WIDTH, width - text.length - 1);
    if (room >= LEAST_BAR_WIDTH) return `${bar(compared, planned, room)} ${text}`;
  }
  return share;
}

const BAR_WIDTH = 30;

const LEAST_BAR_WIDTH = 10;

/**
 * Writes to standard output, and waits for whoever reads.
 * @returns false when nobody reads any more
 */
export async function toStandardOutput(data: string | Uint8Array): Promise<boolean> {
  const { stdout } = process;
  if (stdout.destroyed) return false;
  if (!stdout.write(data)) {
    await new Promise<void>((resolve) => {
      const done = () => {
        stdout.off('drain', done).off('close', done);
        resolve();
      };
      stdout.on('drain', done).on('close', done);
    });
  }
  return !stdout.destroyed;
}
