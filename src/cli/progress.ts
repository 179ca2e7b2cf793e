/** Progress of a command that is no load: a line that is drawn over on a terminal, and one now and then elsewhere. */
import { inCharacters } from '../report/characters.js';
import { PROGRESS_EVERY_MS } from '../report/progress-text.js';
import type { Screen } from '../report/screen.js';
import { cut } from '../report/width.js';
import { progressText } from './verify-text.js';

export class Progress {
  #started = performance.now();
  #said = performance.now();
  #drawn = false;

  constructor(readonly screen: Screen | undefined) {}

  show(done: number, planned: number): void {
    if (!this.screen) return;
    const now = performance.now();
    const { interactive, stream, width } = this.screen;
    if (interactive) {
      const text = progressText(done, planned, now - this.#started, width);
      stream.write(`\r\u001b[K${inCharacters(cut(text, width))}`);
      this.#drawn = true;
    } else if (now - this.#said >= PROGRESS_EVERY_MS) {
      this.screen.print([progressText(done, planned, now - this.#started)]);
      this.#said = now;
    }
  }

  /** Takes the line away; the next one begins anew. */
  end(): void {
    if (this.#drawn) this.screen?.stream.write('\r\u001b[K');
    this.#drawn = false;
    this.#started = performance.now();
  }
}
