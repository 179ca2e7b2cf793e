/** A load as lines of the log. */
import { databaseSize } from './ending.js';
import { count, counted, duration, period, sections, span, utcMinute } from './format.js';
import type { LogFile } from './log-file.js';
import { PROGRESS_EVERY_MS, progressLine } from './progress-text.js';
import { total } from './story.js';
import type { Failure, LoadEvent, LoadProgress, LoadStarted, LoadSummary, Reporter } from './types.js';

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
