/** What a soak counts, and the table at its end. */
import type { Layout } from '../src/config/settings.js';
import type { Verified } from '../test/support/dataset.js';

export class Tally {
  readonly faults = new Map<string, Record<Layout, number>>();
  readonly rounds: Record<Layout, number> = { flat: 0, timeseries: 0 };
  /** Contests of loaders of which one is away. */
  readonly contests: Record<Layout, number> = { flat: 0, timeseries: 0 };
  /** Runs that several loaders share. */
  readonly shared: Record<Layout, number> = { flat: 0, timeseries: 0 };
  /** Sessions that a fault ended and --resume went on from. */
  resumes = 0;
  lost = 0;
  doubled = 0;
  different = 0;
  foreign = 0;
  hung = 0;
  stackTraces = 0;
  /**
   * Messages with which sessions ended otherwise than by a signal, an interrupt, or a server that
   * was away or full.
   */
  readonly surprises = new Map<string, number>();
  readonly #started = performance.now();

  addFault(kind: string, layout: Layout): void {
    const counts = this.faults.get(kind) ?? { flat: 0, timeseries: 0 };
    counts[layout]++;
    this.faults.set(kind, counts);
  }

  addVerdict({ records }: Verified): void {
    this.lost += records.missing;
    this.doubled += records.doubled;
    this.different += records.different;
    this.foreign += records.foreign;
  }

  addSurprise(message: string): void {
    this.surprises.set(message, (this.surprises.get(message) ?? 0) + 1);
  }

  get total(): number {
    let total = 0;
    for (const { flat, timeseries } of this.faults.values()) total += flat + timeseries;
    return total;
  }

  /** True where nothing happened that must not happen. */
  get clean(): boolean {
    const { lost, doubled, different, foreign, hung, stackTraces } = this;
    return lost + doubled + different + foreign + hung + stackTraces === 0;
  }

  /** In Markdown, for docs/reliability.md. */
  table(): string {
    const minutes = ((performance.now() - this.#started) / 60_000).toFixed(1);
    const kinds = [...this.faults].sort(([a], [b]) => (a < b ? -1 : 1));
    const lines = [
      '| fault | flat | timeseries |',
      '| --- | ---: | ---: |',
      ...kinds.map(([kind, { flat, timeseries }]) => `| ${kind} | ${flat} | ${timeseries} |`),
      `| **${this.total} faults of ${kinds.length} kinds** | ${sum(kinds, 'flat')} | ${sum(kinds, 'timeseries')} |`,
      `| rounds, each ended by verify | ${this.rounds.flat} | ${this.rounds.timeseries} |`,
      `| contests, each ended by verify | ${this.contests.flat} | ${this.contests.timeseries} |`,
      `| shared runs, each ended by verify | ${this.shared.flat} | ${this.shared.timeseries} |`,
      '',
      '| outcome | count |',
      '| --- | ---: |',
      `| records lost | ${this.lost} |`,
      `| records doubled | ${this.doubled} |`,
      `| records different | ${this.different} |`,
      `| records foreign | ${this.foreign} |`,
      `| hung | ${this.hung} |`,
      `| stack traces | ${this.stackTraces} |`,
      `| sessions resumed | ${this.resumes} |`,
      `| minutes | ${minutes} |`,
    ];
    const surprises = [...this.surprises].map(([message, count]) => `- ${count} × ${message}`);
    if (surprises.length > 0)
      lines.push('', 'Sessions that ended with another failure, and were resumed:', ...surprises);
    return lines.join('\n');
  }
}

function sum(kinds: readonly (readonly [string, Record<Layout, number>])[], layout: Layout): number {
  return kinds.reduce((total, [, counts]) => total + counts[layout], 0);
}
