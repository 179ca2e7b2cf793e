/** The two lines that move at the bottom of a terminal while records load. */
import { createRequire } from 'node:module';
import type { MultiBar } from 'cli-progress';
import { inCharacters } from './characters.js';
import { harmless } from './harmless.js';
import { barLine, currentLine } from './progress-text.js';
import type { Screen } from './screen.js';
import { END, FORK, INDENT } from './tree.js';
import type { LoadProgress } from './types.js';

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

  /** Takes the lines off the terminal; the next `show` brings them back below whatever was printed meanwhile. */
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
