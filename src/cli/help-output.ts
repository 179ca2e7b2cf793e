/** How help is shown: no wider than the terminal, and in its characters. */
import { Help } from 'commander';
import { Screen } from '../report/screen.js';
import { hanging } from '../report/width.js';

/** Lines are no wider where the terminal is. */
const MOST_CELLS = 79;
/** A description's column that is narrower is none. */
const LEAST_DESCRIPTION = 42;

export function helpWidth(): number {
  return Math.min(MOST_CELLS, screen().width);
}

export function writeHelp(text: string): void {
  screen().print(text.replace(/\n$/, '').split('\n'));
}

/** With a column of terms and one of descriptions; where there is no room for two, one below the other. */
export function helpItem(term: string, termWidth: number, description: string, helper: Help): string {
  const width = helper.helpWidth ?? MOST_CELLS;
  if (width - termWidth >= LEAST_DESCRIPTION) {
    return Help.prototype.formatItem.call(helper, term, termWidth, description, helper);
  }
  return [`  ${term}`, ...hanging(description, width, '      ', '      ')].join('\n');
}

function screen(): Screen {
  return new Screen(process.stdout, false, process.env.TERM);
}
