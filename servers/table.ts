/** The outcome as a table for docs/compatibility.md. */
import type { SuiteResult } from './run-suite.js';
import { SUITE_NAMES, type SuiteName } from './suites.js';

/** One server with one runtime. */
export interface Row {
  readonly server: string;
  readonly runtime: string;
  readonly flat: string;
  readonly timeSeries: string;
  readonly results: Readonly<Partial<Record<SuiteName, SuiteResult>>>;
}

/** Markdown. A suite that was not run with a row is a dash. */
export function tableOf(rows: readonly Row[]): string {
  const lines = rows.map(({ server, runtime, flat, timeSeries, results }) => {
    const cells = SUITE_NAMES.map((suite) => cellOf(results[suite]));
    return [server, runtime, flat, timeSeries, ...cells];
  });
  const head = ['MongoDB', 'run by', 'flat', 'time-series', ...SUITE_NAMES];
  return [head, head.map(() => '---'), ...lines].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

function cellOf(result: SuiteResult | undefined): string {
  if (!result) return '–';
  const { passed, failed } = result;
  return failed === 0 ? `${passed} of ${passed}` : `**${passed} of ${passed + failed}**`;
}
