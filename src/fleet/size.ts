/** How many bytes of a stored run a fleet takes: a document has 16 MB at most. */

/** What MongoDB stores in one document, without what a run's has besides the fleet. */
export const MOST_STORED_BYTES = 16 * 1024 * 1024 - 64 * 1024;
/** Of a list or of fields: a length before, a zero behind. */
export const FRAME_BYTES = 5;

/** Type, name and the zero behind it. */
export function nameBytes(name: string): number {
  return 2 + Buffer.byteLength(name);
}

/** Of a value that holds no others, as BSON. */
export function plainBytes(value: unknown): number {
  if (typeof value === 'string') return 5 + Buffer.byteLength(value);
  if (typeof value === 'number') return Number.isInteger(value) && Math.abs(value) < 2 ** 31 ? 4 : 8;
  return typeof value === 'boolean' ? 1 : 0;
}

/** Of any value, as BSON. */
export function storedBytes(value: unknown): number {
  if (typeof value !== 'object' || value === null) return plainBytes(value);
  let bytes = FRAME_BYTES;
  for (const [name, field] of Object.entries(value)) {
    if (field !== undefined) bytes += nameBytes(name) + storedBytes(field);
  }
  return bytes;
}

/** `34.4 GB`. */
export function sizeText(bytes: number): string {
  const units = ['MB', 'GB', 'TB'];
  let amount = bytes / 2 ** 20;
  let unit = 0;
  for (; amount >= 1000 && unit < units.length - 1; unit++) amount /= 1024;
  return amount < 1e6 ? `${amount.toFixed(1)} ${units[unit]}` : `${amount.toExponential(1)} ${units[unit]}`;
}
