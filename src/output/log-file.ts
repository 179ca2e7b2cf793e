/**
 * The log, by pino, in the manual's line format: `2025-02-09 10:30:15 INFO     message`, local
 * time.
 *
 * Lines are written synchronously: none is lost however the program ends. A log that cannot be
 * written is told once and done without.
 */
import { closeSync, constants, fstatSync, mkdirSync, openSync, type Stats } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { Logger } from 'pino';
import type { LogLevel } from '../config/settings.js';
import { usageError } from '../errors.js';
import { count, counted, duration, localTime, period, sections, span, utcMinute } from './format.js';
import { databaseSize } from './summary-text.js';
import { PROGRESS_EVERY_MS, progressLine } from './tree-reporter.js';
import { total } from './tree-text.js';
import type { Failure, LoadEvent, LoadProgress, LoadStarted, LoadSummary, Reporter } from './types.js';
import { oneLine } from './width.js';

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
function logLine(level: number, time: number, message: string): string {
  return `${localTime(new Date(time))} ${(LABEL[level] ?? 'INFO').padEnd(LABEL_WIDTH)} ${oneLine(message)}\n`;
}

const OPENING_MS = 300;

export class LogFile {
  readonly #pending: Entry[] = [];
  readonly #opening: NodeJS.Timeout;
  #logger: Logger | undefined;
  #state: 'closed' | 'open' | 'broken' = 'closed';
  #end: () => void = () => undefined;

  /**
   * Opens the file a little later, so that nobody waits while pino is read: until then a load
   * connects and prepares, after that its threads are at work.
   * @param onBroken told once, with the reason, when the log cannot be written
   */
  constructor(
    readonly path: string,
    readonly level: LogLevel,
    readonly onBroken: (reason: string) => void,
    readonly now: () => Date,
  ) {
    this.#opening = setTimeout(() => this.flush(), OPENING_MS);
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
    clearTimeout(this.#opening);
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

// Opens the file of a log: an ordinary one, or a device such as a terminal or /dev/null. Anything
// else might never take a line.

const { O_APPEND, O_CREAT, O_NONBLOCK = 0, O_WRONLY } = constants;

/** What has the log's name is nothing to write a log to. */
class NoLogFile extends Error {
  constructor(
    readonly code: string,
    readonly reason: string,
  ) {
    super(`${code}: ${reason}`);
  }
}

/**
 * Makes its folders, opens it to be added to, and waits for nobody.
 * @returns the descriptor
 * @throws Error where it cannot be opened, or is a folder, a pipe, a socket or a disk
 */
function openLog(path: string): number {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  let file: number;
  try {
    file = openSync(path, O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK, 0o600);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EISDIR') throw new NoLogFile(code, 'it is a folder');
    if (code === 'ENXIO') throw new NoLogFile(code, 'it is a pipe that nobody reads, or a socket');
    throw error;
  }
  const kind = fstatSync(file);
  if (kind.isFile() || kind.isCharacterDevice()) return file;
  closeSync(file);
  throw new NoLogFile('ESPIPE', nameOf(kind));
}

function nameOf(kind: Stats): string {
  return kind.isFIFO() ? 'it is a pipe' : 'it is no ordinary file';
}

/**
 * Looks at the file of `--log-file` before anything is done. One that cannot be written now is done
 * without, as any log; one that is no file was named by mistake.
 * @throws SeedError (usage)
 */
export function refuseNoLogFile(path: string | undefined): void {
  if (path === undefined) return;
  try {
    closeSync(openLog(path));
  } catch (error) {
    if (!(error instanceof NoLogFile)) return;
    throw usageError(`--log-file ${path} cannot take a log: ${error.reason}`, 'name an ordinary file');
  }
}

// A load as lines of the log.

export class LogReporter implements Reporter {
  #nextProgressMs = PROGRESS_EVERY_MS;

  constructor(
    readonly log: LogFile,
    readonly now: () => Date,
  ) {}

  on(event: LoadEvent): void {
    switch (event.type) {
      case 'notice':
        this.log.write(event.level, event.message);
        break;
      case 'connected': {
        const { version, embedded, uri } = event.server;
        this.#info(
          `Connected to MongoDB ${version}${embedded ? ' (embedded)' : ''} at ${uri}, database ${event.database}`,
        );
        break;
      }
      case 'cleaned':
        this.#info(`Removed the collections ${event.collections.join(', ')}`);
        break;
      case 'started':
        this.#started(event);
        break;
      case 'assetsWritten': {
        const { machines, services, jobs } = event.assets;
        this.#info(
          `Wrote ${counted(machines, 'machine')}, ${counted(services, 'service')}, ${counted(jobs, 'backup job')}`,
        );
        break;
      }
      case 'progress':
        this.#progress(event);
        break;
      case 'indexing':
        this.#info(event.message);
        break;
    }
  }

  finish(summary: LoadSummary): void {
    const { status, records, shards, elapsedMs, recordsPerSecond } = summary;
    const level = status === 'interrupted' ? 'warning' : 'info';
    const ended = `${status[0].toUpperCase()}${status.slice(1)} after ${duration(elapsedMs)}`;
    const loaded = `${count(records.inserted)} of ${count(records.planned)} records`;
    const inShards = `${count(shards.done)} of ${counted(shards.total, 'shard')}`;
    this.log.write(level, `${ended}: ${loaded}, ${inShards}, ${count(recordsPerSecond)} records/s`);
    if (summary.retries > 0) this.log.write('warning', counted(summary.retries, 'retry', 'retries'));
    if (summary.database.name !== '') this.#info(`Database size: ${databaseSize(summary.database)}`);
  }

  fail({ message, details = [], remedy, trace = '' }: Failure): void {
    for (const line of [message, ...details]) this.log.write('error', line);
    if (remedy !== '') this.log.write('error', `What to do: ${remedy}`);
    for (const line of trace.split('\n')) if (line !== '') this.log.write('debug', line);
  }

  async close(): Promise<void> {
    this.log.close();
  }

  #info(message: string): void {
    this.log.write('info', message);
  }

  #started(started: LoadStarted): void {
    const { runId, seed, seedGiven, layout, window, days, planned, resumed } = started;
    const drawn = seedGiven || resumed ? '' : ' (drawn)';
    this.#info(
      `${resumed ? 'Resuming run' : 'Run'} ${runId}: seed ${seed}${drawn}, layout ${layout}, ${span(days)}, ${period(window)}`,
    );
    const records = `${count(total(planned))} records`;
    const bySection = sections(planned);
    this.#info(
      `Planned ${records}${bySection && ` (${bySection})`} in ${counted(started.shards.total, 'shard')}, ` +
        `batch ${count(started.batchSize)}, ${counted(started.workers, 'worker')}`,
    );
    if (resumed) {
      this.#info(
        `${count(started.recordsBefore)} records in ${counted(started.shards.skipped, 'shard')} are there already`,
      );
    }
  }

  #progress(progress: LoadProgress): void {
    if (progress.elapsedMs < this.#nextProgressMs) return;
    this.#nextProgressMs = progress.elapsedMs + PROGRESS_EVERY_MS;
    this.#info(`Loaded ${progressLine(progress, this.now())}`);
    const { current, shardsDone, shardsTotal, batchMs } = progress;
    const at = current ? `; ${current.assetId} ${current.metric} at ${utcMinute(current.until)} UTC` : '';
    const batch = batchMs > 0 ? `, ${batchMs.toFixed(1)}ms a batch` : '';
    this.log.write('debug', `${count(shardsDone)} of ${counted(shardsTotal, 'shard')} done${batch}${at}`);
  }
}
