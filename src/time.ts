/** Time zones by their IANA names. */
/**
 * Whether this platform knows the zone. An offset such as +02:00 is none: it has no daylight
 * saving.
 */
export function isTimezone(name: string): boolean {
  if (!/^[A-Za-z][\w+/-]*$/.test(name)) return false;
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

// Instants as a user writes them.

const MS_PER_MINUTE = 60_000;
const WRITTEN = /^(\d{4})-(\d{2})-(\d{2})(?:[Tt ](\d{2}):(\d{2})(?::00(?:\.0+)?)?([Zz]|[+-]\d{2}:?\d{2}))?$/;

/** The earliest instant of a dataset: minutes are counted from here and are never negative. */
export const FIRST_INSTANT = new Date(0);
/** The first instant that a dataset cannot reach: years have four digits. */
export const LAST_INSTANT = new Date(Date.UTC(10_000, 0, 1));

/** Whether a dataset may begin or end then: at a whole minute of the years 1970 to 9999. */
export function isInstant(date: Date): boolean {
  return date >= FIRST_INSTANT && date <= LAST_INSTANT && date.getTime() % MS_PER_MINUTE === 0;
}

/**
 * A date (00:00 UTC of it) or a whole minute with its zone.
 * @returns undefined where the text is neither, names a day that no calendar has, or lies outside
 *   the years 1970 to 9999.
 */
export function parseInstant(text: string): Date | undefined {
  const match = WRITTEN.exec(text);
  if (!match) return undefined;
  const [year, month, day, hour, minute] = match.slice(1, 6).map((part) => Number(part ?? 0));
  if (hour > 23 || minute > 59) return undefined;
  const written = Date.UTC(year, month - 1, day, hour, minute);
  const date = new Date(written);
  // Date.UTC rolls 30 February over to March and reads years below 100 as 19xx.
  if (date.getUTCFullYear() !== year || date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) {
    return undefined;
  }
  const offset = parseOffset(match[6] ?? 'Z');
  if (offset === undefined) return undefined;
  const instant = new Date(written - offset * MS_PER_MINUTE);
  return isInstant(instant) ? instant : undefined;
}

/** Minutes east of UTC. The world's zones lie between -12:00 and +14:00. */
function parseOffset(text: string): number | undefined {
  if (/^z$/i.test(text)) return 0;
  const hours = Number(text.slice(1, 3));
  const minutes = Number(text.slice(-2));
  if (hours > 14 || minutes > 59) return undefined;
  return (text.startsWith('-') ? -1 : 1) * (hours * 60 + minutes);
}

// Intervals of samples.

/** How far apart the samples of a series are. All of them divide a day. */
export const INTERVALS = ['1s', '5s', '10s', '15s', '30s', '1m', '5m', '15m', '1h'] as const;
export type Interval = (typeof INTERVALS)[number];
export const DEFAULT_INTERVAL: Interval = '1m';
/** Jitter keeps a sample within its minute. */
export const MAX_JITTER_MS = 59_999;

const SECONDS = { s: 1, m: 60, h: 3600 } as const;

/** An interval's length in seconds. */
export function intervalSeconds(interval: Interval): number {
  return Number.parseInt(interval, 10) * SECONDS[interval.slice(-1) as keyof typeof SECONDS];
}
