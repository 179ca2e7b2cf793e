/** What the stored runs promise, as a text to compare: what was decided by it holds only while it stays the same. */
import type { Books } from '../store/books.js';
import { RUNS } from '../store/names.js';

/**
 * Changes when a run begins, goes, grows or is trimmed; not with signs of life, nor when a run ends. For runs of any version, and for
 * documents that cannot be used.
 * @param without id of a run that is left out: one's own
 */
export async function runMarks(books: Books, without?: string): Promise<string> {
  const projection = { window: 1, planned: 1, trimmedFrom: 1 };
  const stored = await books.collection(RUNS).find({}, { projection }).sort({ _id: 1 }).toArray();
  return JSON.stringify(stored.filter(({ _id }) => String(_id) !== without));
}
