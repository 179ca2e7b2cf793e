/** What mongod writes to its standard output, cut into lines, and what it says about a failure. */

/** Lines kept: a failed start ends with some ten. */
const KEPT_LINES = 60;

/** Longest part of mongod's own words in a message. */
const LONGEST_CAUSE = 240;

interface LogLine {
  /** Severity: F fatal, E error, W warning, I information. */
  readonly s?: string;
  readonly msg?: string;
  readonly attr?: Readonly<Record<string, unknown>>;
}

/** Joins chunks of output to whole lines and remembers the last of them. */
export class MongodLog {
  private rest = '';
  private readonly lines: string[] = [];

  /** The whole lines that end in this chunk. */
  take(chunk: string | Buffer): readonly string[] {
    const whole = (this.rest + chunk.toString()).split('\n');
    this.rest = whole.pop() ?? '';
    const lines = whole.filter((line) => line.trim() !== '');
    this.lines.push(...lines);
    this.lines.splice(0, this.lines.length - KEPT_LINES);
    return lines;
  }

  /** True when some kept line matches. */
  has(pattern: RegExp): boolean {
    return [...this.lines, this.rest].some((line) => pattern.test(line));
  }

  /** The last fatal line, else the last error, else the last line, in mongod's own words; one line. Undefined where it said nothing. */
  cause(): string | undefined {
    const lines = [...this.lines, this.rest].filter((line) => line.trim() !== '');
    const parsed = lines.map(parse);
    const worst =
      parsed.findLast(({ s, attr }) => s === 'F' && attr !== undefined) ??
      parsed.findLast(({ attr }) => typeof attr?.error === 'string') ??
      parsed.findLast(({ s }) => s === 'F' || s === 'E') ??
      parsed.at(-1);
    if (worst === undefined) return undefined;
    const detail = worst.attr?.error ?? worst.attr?.message ?? worst.attr?.reason;
    const text = detail === undefined ? (worst.msg ?? '') : `${worst.msg}: ${describe(detail)}`;
    return text.replace(/\s+/g, ' ').slice(0, LONGEST_CAUSE);
  }
}

function describe(detail: unknown): string {
  return typeof detail === 'string' ? detail : JSON.stringify(detail);
}

/** A line of mongod's JSON log; plain text (a missing library, say) becomes its message. */
function parse(line: string): LogLine {
  try {
    return JSON.parse(line) as LogLine;
  } catch {
    return { msg: line };
  }
}
