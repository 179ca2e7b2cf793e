/**
 * The log, by pino, in the manual's line format: `2025-02-09 10:30:15 INFO     message`, local time.
 *
 * Lines are written synchronously: none is lost however the program ends. A log that cannot be written is told
 * once and done without.
 */
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Logger } from 'pino';
import type { LogLevel } from '../config/settings.js';
import { localTime } from './format.js';
import { oneLine } from './harmless.js';
import { openLog } from './open-log.js';

/** Names of pino's levels. */
const PINO_LEVEL = { debug: 'debug', info: 'info', warning: 'warn', error: 'error' } as const;
const LABEL: Readonly<Record<number, string>> = { 20: 'DEBUG', 30: 'INFO', 40: 'WARNING', 50: 'ERROR' };
const LABEL_WIDTH = 8;

interface Entry {
  readonly level: LogLevel;
  readonly time: number;
  readonly message: string;
}

/** `logs/seed_database_20250209_103015.log`: the start of the program in local time. */
export function defaultLogFile(now: Date): string {
  const stamp = localTime(now).replace(/[-:]/g, '').replace(' ', '_');
  return join('logs', `seed_database_${stamp}.log`);
}

/** One line of the log. */
export function logLine(level: number, time: number, message: string): string {
  return `${localTime(new Date(time))} ${(LABEL[level] ?? 'INFO').padEnd(LABEL_WIDTH)} ${oneLine(message)}\n`;
}

export class LogFile {
  readonly #pending: Entry[] = [];
  readonly #opening: NodeJS.Immediate;
  #logger: Logger | undefined;
  #state: 'closed' | 'open' | 'broken' = 'closed';
  #end: () => void = () => undefined;

  /**
   * Opens the file soon, so that loading pino costs no time while there is a server to wait for.
   * @param onBroken told once, with the reason, when the log cannot be written
   */
  constructor(
    readonly path: string,
    readonly level: LogLevel,
    readonly onBroken: (reason: string) => void,
    readonly now: () => Date,
  ) {
    this.#opening = setImmediate(() => this.flush());
  }

  /** False after the log could not be written. */
  get usable(): boolean {
    return this.#state !== 'broken';
  }

  write(level: LogLevel, message: string): void {
    const entry = { level, time: this.now().getTime(), message };
    if (this.#state === 'open') this.#log(entry);
    else if (this.#state === 'closed') this.#pending.push(entry);
  }

  /** Opens the file if need be, and writes what waited for that. */
  flush(): void {
    clearImmediate(this.#opening);
    if (this.#state === 'closed') this.#open();
    for (const entry of this.#pending.splice(0)) this.#log(entry);
  }

  close(): void {
    this.flush();
    if (this.#state === 'open') this.#end();
    this.#state = 'broken';
  }

  #log({ level, time, message }: Entry): void {
    if (this.#state === 'open') this.#logger?.[PINO_LEVEL[level]]({ time }, message);
  }

  #open(): void {
    try {
      const { pino } = createRequire(import.meta.url)('pino') as typeof import('pino');
      const file = pino.destination({ dest: openLog(this.path), sync: true });
      file.on('error', (error: Error) => this.#break(error));
      this.#end = () => file.end();
      this.#logger = pino(
        { level: PINO_LEVEL[this.level], base: null, timestamp: false },
        { write: (record: string) => void file.write(lineOf(record)) },
      );
      this.#state = 'open';
    } catch (error) {
      this.#break(error as Error);
    }
  }

  #break(error: Error): void {
    if (this.#state === 'broken') return;
    this.#state = 'broken';
    this.#pending.length = 0;
    this.onBroken(error.message);
  }
}

/** pino's record as the manual's line. */
function lineOf(record: string): string {
  const { level, time, msg } = JSON.parse(record) as { level: number; time: number; msg?: string };
  return logLine(level, time, msg ?? '');
}
