/** What somebody may have meant who typed a name that there is not. */
import { distance } from 'fastest-levenshtein';

/** Two names this much of the longer one apart have nothing to do with each other. */
const FARTHEST = 0.4;

/** The known name that is nearest to a typed one; undefined where none is near. */
function nearestName(typed: string, known: Iterable<string>): string | undefined {
  let nearest: string | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const name of known) {
    const edits = distance(typed.toLowerCase(), name.toLowerCase());
    if (edits < least && edits <= FARTHEST * Math.max(typed.length, name.length)) {
      nearest = name;
      least = edits;
    }
  }
  return nearest;
}

/** `; did you mean NAME?`, or nothing. */
export function didYouMean(typed: string, known: Iterable<string>): string {
  const nearest = nearestName(typed, known);
  return nearest === undefined ? '' : `; did you mean ${nearest}?`;
}
