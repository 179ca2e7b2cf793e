/** The report room: progress, tree output, log, JSON result. */
import type { OutputSettings } from '../config/settings.js';
import { counted, duration } from './format.js';
import { defaultLogFile, LogFile, LogReporter } from './log-file.js';
import { failureResult, type OutputStream, Screen } from './screen.js';
import { PROGRAM } from './shell.js';
import { type CommandHints, finalLine, type Hints, withResumeHint } from './summary-text.js';
import { TreeReporter } from './tree-reporter.js';
import type { Failure, LoadEvent, LoadResult, LoadSummary, Reporter } from './types.js';
import { jsonText } from './width.js';

export type * from './types.js';

/** What surrounds a reporter; each has a default. */
export interface ReporterSurroundings extends Partial<CommandHints> {
  readonly stdout?: OutputStream;
  readonly stderr?: OutputStream;
  readonly now?: () => Date;
  /** Kind of terminal, as `TERM` names it. */
  readonly terminal?: string;
  /** What resumes: `--resume` unless it is said. */
  readonly resume?: string;
  /**
   * Further flags that resuming needs, each with a blank before it: a part of a shared run has to
   * be named.
   */
  readonly resumeFlags?: string;
  /** Takes secrets out of a text that comes from elsewhere: a server's or the driver's message. */
  readonly mask?: (text: string) => string;
}

/**
 * A reporter that tells a load in the way these settings ask for: as a tree with progress, quietly,
 * or as one JSON object with the tree on standard error; and always in the log. Nothing that goes
 * wrong with telling reaches the load.
 */
export function createReporter(output: OutputSettings, surroundings: ReporterSurroundings = {}): Reporter {
  return new LoadReporter(output, surroundings);
}

class LoadReporter implements Reporter {
  readonly #log: LogFile;
  readonly #tree: TreeReporter | undefined;
  readonly #parts: readonly Reporter[];
  readonly #now: () => Date;
  readonly #mask: (text: string) => string;
  readonly #commands: Omit<Hints, 'logFile'>;
  readonly #abandon = () => {
    this.#tree?.abandon();
    this.#log.close();
  };
  #stageBegan: number;
  /** True once there is a run that can be resumed. */
  #begun = false;

  constructor(output: OutputSettings, surroundings: ReporterSurroundings) {
    const { stdout = process.stdout, stderr = process.stderr } = surroundings;
    this.#now = surroundings.now ?? (() => new Date());
    this.#mask = surroundings.mask ?? ((text) => text);
    const { program = PROGRAM, connectionFlags = '', beside = '', mongoshFlags = '' } = surroundings;
    const { resume = '--resume', resumeFlags = '' } = surroundings;
    this.#commands = { program, connectionFlags, beside, mongoshFlags, resume, resumeFlags };
    this.#stageBegan = performance.now();
    const terminal = surroundings.terminal ?? process.env.TERM;
    const errors = new Screen(stderr, output.color, terminal);
    const screen = output.json ? errors : new Screen(stdout, output.color, terminal);
    const hints = () => this.#hints();
    const path = output.logFile ?? defaultLogFile(this.#now());
    this.#log = new LogFile(
      path,
      output.logLevel,
      (reason) => this.#logBroke(path, reason, errors),
      this.#now,
    );
    if (!output.quiet) {
      this.#tree = new TreeReporter({ screen, errors, level: output.logLevel, hints, now: this.#now });
    }
    this.#parts = [
      new LogReporter(this.#log, this.#now),
      this.#tree ?? new QuietReporter(output.json ? undefined : screen, errors, hints),
      ...(output.json ? [new JsonReporter(stdout)] : []),
    ];
    // A second Ctrl-C and an uncaught error end the program without a close.
    process.once('exit', this.#abandon);
  }

  on(event: LoadEvent): void {
    if (event.type === 'notice') {
      this.#tell({ ...event, message: this.#mask(event.message) });
      return;
    }
    this.#tell(event);
    if (event.type === 'connected') this.#stage('connecting');
    if (event.type === 'started') {
      this.#begun = event.runId !== 'none';
      this.#stage('preparing the target');
    }
    if (event.type === 'assetsWritten') this.#stage('writing the assets');
  }

  finish(summary: LoadSummary): void {
    this.#log.flush(); // the ending names the log, if it can be written
    const { cpuMs, maxRssMb, workers, writer } = summary.loader;
    if (workers > 0) {
      this.#stage('loading');
      this.#debug(
        `writer ${writer.kind}; ${counted(workers, 'worker')} and the main thread used ${duration(cpuMs)} of CPU, ${maxRssMb} MB of memory`,
      );
    }
    for (const part of this.#parts) part.finish(summary);
  }

  fail(failure: Failure): void {
    const told = withResumeHint(failure, this.#begun, this.#hints());
    for (const part of this.#parts) part.fail(told);
  }

  async close(): Promise<void> {
    process.off('exit', this.#abandon);
    for (const part of this.#parts) await part.close();
  }

  #tell(event: LoadEvent): void {
    for (const part of this.#parts) part.on(event);
  }

  #debug(message: string): void {
    this.#tell({ type: 'notice', level: 'debug', message });
  }

  /** Says what the stage that just ended cost. */
  #stage(name: string): void {
    const now = performance.now();
    this.#debug(`${name} took ${duration(now - this.#stageBegan)}`);
    this.#stageBegan = now;
  }

  #hints(): Hints {
    return {
      ...this.#commands,
      logFile: this.#log.usable ? this.#log.path : undefined,
    };
  }

  #logBroke(path: string, reason: string, errors: Screen): void {
    this.#tree?.pause();
    errors.print([`⚠️  the log ${path} cannot be written, and is done without: ${reason}`], 'warning');
  }
}

/** `--quiet`: errors, and the final line unless the JSON object is that. */
class QuietReporter implements Reporter {
  constructor(
    readonly screen: Screen | undefined,
    readonly errors: Screen,
    readonly hints: () => Hints,
  ) {}

  on(event: LoadEvent): void {
    if (event.type === 'notice' && event.level === 'error') this.errors.print([`❌ ${event.message}`], 'bad');
  }

  finish(summary: LoadSummary): void {
    this.screen?.print([finalLine(summary, this.hints())]);
  }

  fail(failure: Failure): void {
    this.errors.fail(failure);
  }

  async close(): Promise<void> {}
}

/** `--json`: one object on one line. */
class JsonReporter implements Reporter {
  constructor(readonly stream: OutputStream) {}

  on(): void {}

  finish(summary: LoadSummary): void {
    this.#print(loadResult(summary));
  }

  fail(failure: Failure): void {
    this.#print(failureResult(failure));
  }

  async close(): Promise<void> {}

  #print(object: object): void {
    this.stream.write(`${jsonText(object)}\n`);
  }
}

// The `--json` object.

/** Field by field, so that what a summary gains later does not leak into what scripts rely on. */
export function loadResult(summary: LoadSummary): LoadResult {
  const { window, assets, records, shards, loader, database, server } = summary;
  return {
    status: summary.status,
    runId: summary.runId,
    seed: summary.seed,
    layout: summary.layout,
    window: textOf(window),
    assets: {
      machines: assets.machines,
      services: assets.services,
      jobs: assets.jobs,
      total: assets.total,
    },
    records: {
      planned: records.planned,
      inserted: records.inserted,
      metrics: records.metrics,
      polling: records.polling,
      backup: records.backup,
    },
    shards: { total: shards.total, done: shards.done, skipped: shards.skipped },
    ...(summary.part ? { part: { number: summary.part.number, of: summary.part.of } } : {}),
    ...(summary.parts ? { parts: summary.parts.map(({ part, state }) => ({ part, state })) } : {}),
    ...(summary.expired ? { expired: summary.expired } : {}),
    ...(summary.beside
      ? {
          beside: summary.beside.map(({ runId, seed, state, window: theirs }) => ({
            runId,
            seed,
            state,
            window: textOf(theirs),
          })),
        }
      : {}),
    resumed: summary.resumed,
    elapsedMs: summary.elapsedMs,
    recordsPerSecond: summary.recordsPerSecond,
    ...(summary.inserts ? { inserts: summary.inserts } : {}),
    loader: {
      cpuMs: loader.cpuMs,
      maxRssMb: loader.maxRssMb,
      workers: loader.workers,
      writer: { kind: loader.writer.kind, reason: loader.writer.reason ?? null },
    },
    database: {
      name: database.name,
      collections: database.collections,
      dataSizeBytes: database.dataSizeBytes,
      storageSizeBytes: database.storageSizeBytes,
      indexSizeBytes: database.indexSizeBytes,
    },
    server: { version: server.version, embedded: server.embedded, uri: server.uri },
  };
}

function textOf({ start, end }: LoadSummary['window']): LoadResult['window'] {
  return { start: start.toISOString(), end: end.toISOString() };
}
