/** Fields of CSV (RFC 4180). */

/** What a spreadsheet would take for a formula. Names such as `-prod` are none. */
const FORMULA = /^[=+\-@\t\r](?![\w.-]*$)/;

/** A formula gets the apostrophe by which a spreadsheet knows text. */
export function csvField(text: string): string {
  const shown = FORMULA.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(shown) ? `"${shown.replaceAll('"', '""')}"` : shown;
}

/** A line of texts and numbers; what is undefined is empty. */
export function csvLine(fields: readonly (string | number | undefined)[]): string {
  const texts = fields.map((field) => (typeof field === 'string' ? csvField(field) : String(field ?? '')));
  return `${texts.join(',')}\n`;
}

/** Columns of a table of events. */
export const EVENT_COLUMNS = ['asset_id', 'kind', 'cause', 'start', 'end', 'metrics'] as const;

/** A line of {@link EVENT_COLUMNS}; names of metrics have no blanks. */
export function eventLine(event: {
  readonly assetId: string;
  readonly kind: string;
  readonly cause?: string;
  readonly metrics?: readonly string[];
  readonly start: Date;
  readonly end: Date;
}): string {
  const { assetId, kind, cause, metrics = [], start, end } = event;
  return csvLine([assetId, kind, cause, start.toISOString(), end.toISOString(), metrics.join(' ')]);
}
