/** Events of an imagined load, and streams that keep what is written to them. */
import { Writable } from 'node:stream';
import type { OutputSettings } from '../../src/config/settings.js';
import { createReporter, type ReporterSurroundings } from '../../src/output/reporter.js';
import type { LoadEvent, LoadProgress, LoadStarted, LoadSummary } from '../../src/output/types.js';
import { widthOf } from '../../src/output/width.js';

/** A terminal of so many columns, or without columns a file. */
export class Capture extends Writable {
  readonly isTTY: boolean;
  text = '';

  constructor(readonly columns?: number) {
    super({ decodeStrings: false });
    this.isTTY = columns !== undefined;
  }

  override _write(chunk: string | Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}

export const NOW = new Date('2025-02-09T10:30:15Z');

export const STARTED: LoadStarted = {
  type: 'started',
  runId: '67a8f2d0c0ffee0123456789',
  seed: 2_147_483_646,
  seedGiven: false,
  layout: 'timeseries',
  availabilityScale: 'percent',
  sections: ['metrics', 'polling', 'backup'],
  window: { start: new Date('2025-01-26T00:00:00Z'), end: new Date('2025-02-09T00:00:00Z') },
  days: 14,
  assets: { machines: 10, services: 22, jobs: 2, total: 34 },
  workers: 2,
  rate: undefined,
  batchSize: 10_000,
  planned: { metrics: 604_800, polling: 1_290_240, backup: 140 },
  shards: { total: 96, skipped: 0 },
  recordsBefore: 0,
  resumed: false,
};

/** How far a load is after so many milliseconds, at 400,000 records a second. */
export function progressAt(elapsedMs: number, changes: Partial<LoadProgress> = {}): LoadProgress {
  const planned = 1_895_180;
  const acknowledged = Math.min(planned, Math.round(elapsedMs * 400));
  return {
    type: 'progress',
    acknowledged,
    planned,
    rate: 400_000,
    batchMs: 4.23,
    shardsDone: Math.floor((acknowledged / planned) * 96),
    shardsTotal: 96,
    current: {
      assetId: 'svc-acronis-agent-physical-01',
      name: 'Acronis Agent',
      metric: 'availability_status',
      until: new Date('2025-02-03T10:30:00Z'),
    },
    elapsedMs,
    remainingMs: (planned - acknowledged) / 400,
    ...changes,
  };
}

export const SUMMARY: LoadSummary = {
  status: 'complete',
  runId: STARTED.runId,
  seed: STARTED.seed,
  layout: 'timeseries',
  window: STARTED.window,
  assets: STARTED.assets,
  records: { planned: 1_895_180, inserted: 1_895_180, metrics: 604_800, polling: 1_290_240, backup: 140 },
  plannedBySection: STARTED.planned,
  shards: { total: 96, done: 96, skipped: 0 },
  resumed: false,
  retries: 0,
  elapsedMs: 4738,
  recordsPerSecond: 402_113,
  loader: { cpuMs: 1900, maxRssMb: 210, workers: 2, writer: { kind: 'sequence' } },
  database: {
    name: 'pmi_infrastructure_dev',
    collections: { assets: 34, metrics: 1_895_180, seed_runs: 1, seed_shards: 96 },
    dataSizeBytes: 45_200_000,
    storageSizeBytes: 12_000_000,
    indexSizeBytes: 9_000_000,
  },
  server: { version: '6.0.5', embedded: false, uri: 'mongodb://pmi:****@db.example:27017/' },
};

export const SETTINGS: OutputSettings = {
  json: false,
  quiet: false,
  color: true,
  logLevel: 'info',
  logFile: undefined,
};

/** A whole load, in order. */
export const LOAD: readonly LoadEvent[] = [
  { type: 'notice', level: 'debug', message: 'a debug notice' },
  { type: 'notice', level: 'info', message: 'an info notice' },
  { type: 'connected', server: SUMMARY.server, database: SUMMARY.database.name },
  { type: 'cleaned', collections: ['seed_shards', 'metrics'] },
  STARTED,
  { type: 'assetsWritten', assets: STARTED.assets },
  ...[200, 1_000, 2_800, 3_000, 3_200, 4_000].map((ms) => progressAt(ms)),
  { type: 'notice', level: 'warning', message: 'a warning\nof two lines' },
  progressAt(4_200),
  { type: 'indexing', message: 'building an index' },
  progressAt(4_738),
];

export interface Told {
  readonly stdout: string;
  readonly stderr: string;
}

/** Tells a load and its ending to a reporter; `columns` makes both streams terminals. */
export async function tell(
  settings: Partial<OutputSettings> & { readonly logFile: string },
  ending: (reporter: ReturnType<typeof createReporter>) => void,
  options: ReporterSurroundings & { readonly columns?: number; readonly events?: readonly LoadEvent[] } = {},
): Promise<Told> {
  const { columns, events = LOAD, ...surroundings } = options;
  const [stdout, stderr] = [new Capture(columns), new Capture(columns)];
  const output = { ...SETTINGS, ...settings };
  const reporter = createReporter(output, {
    now: () => NOW,
    terminal: 'xterm',
    stdout,
    stderr,
    ...surroundings,
  });
  for (const event of events) reporter.on(event);
  ending(reporter);
  await reporter.close();
  return { stdout: stdout.text, stderr: stderr.text };
}

const CSI = String.raw`\x1b\[([?\d;]*)([A-Za-z])`;
/** One thing that a program writes to a terminal: a control sequence, a line break, a character. */
const PIECE = new RegExp(`${CSI}|\\n|[^\\n]`, 'gu');

/**
 * What a terminal shows after all this, and the widest that any line of it ever was. Knows what the
 * program uses.
 */
export function render(written: string): { readonly lines: string[]; readonly widest: number } {
  const rows: string[][] = [[]];
  let [row, column, widest] = [0, 0, 0];
  for (const [piece, parameter, command] of written.matchAll(PIECE)) {
    const amount = Number(parameter || 1);
    if (command === 'm') continue;
    if (command === 'G') column = amount - 1;
    else if (command === 'A') row -= amount;
    else if (command === 'K') rows[row].length = Math.min(rows[row].length, column);
    else if (command === 'J') {
      rows[row].length = Math.min(rows[row].length, column);
      rows.length = row + 1;
    } else if (piece === '\n') [row, column] = [row + 1, 0];
    else if (command === undefined) {
      rows[row][column] = piece;
      column++;
    } else throw new Error(`the terminal does not know ${JSON.stringify(piece)}`);
    if (row < 0) throw new Error('the cursor left the top of the terminal');
    rows[row] ??= [];
    widest = Math.max(widest, widthOf(rows[row].join('')));
  }
  return { lines: rows.map((cells) => Array.from(cells, (cell) => cell ?? ' ').join('')), widest };
}

/** How a load may fail. */
export const FULL_DISK = { exitStatus: 6, message: 'the server has no disk space left', remedy: 'make room' };
