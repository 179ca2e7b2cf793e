/** How the parts of a shared run stand, in words. Pure. */
import type { PartState } from './types.js';

const WORDS: Readonly<
  Record<Exclude<PartState['state'], 'complete'>, readonly [one: string, several: string]>
> = {
  loading: ['is loading', 'are loading'],
  interrupted: ['is interrupted', 'are interrupted'],
  failed: ['has failed', 'have failed'],
  'not begun': ['has not begun', 'have not begun'],
};

/** `part 2 is loading; parts 3 and 4 have not begun`: those that are not complete. */
export function waitingParts(parts: readonly PartState[]): string {
  const texts: string[] = [];
  for (const [state, [one, several]] of Object.entries(WORDS)) {
    const numbers = parts.filter((part) => part.state === state).map(({ part }) => part);
    if (numbers.length === 1) texts.push(`part ${numbers[0]} ${one}`);
    if (numbers.length > 1) texts.push(`parts ${listed(numbers)} ${several}`);
  }
  return texts.join('; ');
}

function listed(numbers: readonly number[]): string {
  return `${numbers.slice(0, -1).join(', ')} and ${numbers[numbers.length - 1]}`;
}
