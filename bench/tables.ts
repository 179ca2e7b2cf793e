/** Results as Markdown, for the terminal and for README.md. */
import type { Layout } from '../src/config/settings.js';
import type { Entry, Results, Scaling, Spread, Start } from './results.js';

const LAYOUT_TITLES: Readonly<Record<Layout, string>> = {
  flat: 'Flat layout',
  timeseries: 'Time-series layout',
};

function thousands(value: number): string {
  return Math.round(value).toLocaleString('en');
}

function withSpread(values: Spread | undefined, format: (value: number) => string): string {
  if (!values) return '–';
  const { median, min, max } = values;
  const range = format(min) === format(max) ? '' : ` (${format(min)}–${format(max)})`;
  return `${format(median)}${range}`;
}

function row(entry: Entry): string {
  const decimals = (value: number) => value.toFixed(2);
  const cells = [
    entry.name,
    withSpread(entry.recordsPerSecond, thousands),
    withSpread(entry.loaderCpuMicros, decimals),
    withSpread(entry.loadingCpuMicros, decimals),
    withSpread(entry.serverCpuMicros, decimals),
    withSpread(entry.maxRssMb, thousands),
    withSpread(entry.wallSeconds, decimals),
  ];
  return `| ${cells.join(' | ')} |`;
}

function contestantTable(entries: readonly Entry[]): string[] {
  return [
    '| contestant | records/s | loader µs CPU a record | of it after start-up | server µs CPU a record | peak memory MB | whole process s |',
    '| --- | ---: | ---: | ---: | ---: | ---: | ---: |',
    ...entries.map(row),
    '| TSBS | not comparable: its MongoDB loader speaks OP_QUERY, which servers from 5.1 on refuse | – | – | – | – | – |',
  ];
}

function scalingTable(rows: readonly Scaling[]): string[] {
  return [
    '| layout | days | workers | records | records/s | loader µs CPU a record | peak memory MB |',
    '| --- | ---: | ---: | ---: | ---: | ---: | ---: |',
    ...rows.map(
      ({ layout, days, workers, records, recordsPerSecond, loaderCpuMicros, maxRssMb }) =>
        `| ${layout} | ${days} | ${workers} | ${thousands(records)} | ${thousands(recordsPerSecond)} | ` +
        `${loaderCpuMicros.toFixed(2)} | ${thousands(maxRssMb)} |`,
    ),
  ];
}

function startTable({ node, hour }: Start): string[] {
  const seconds = (value: number) => value.toFixed(3);
  const times = ({ median }: Spread) => (median / node.median).toFixed(1);
  return [
    '| whole process | seconds | times `node -e 0` |',
    '| --- | ---: | ---: |',
    `| \`node -e 0\` | ${withSpread(node, seconds)} | 1 |`,
    `| load of an hour, flat | ${withSpread(hour.flat, seconds)} | ${times(hour.flat)} |`,
    `| load of an hour, time-series | ${withSpread(hour.timeseries, seconds)} | ${times(hour.timeseries)} |`,
  ];
}

/** All tables of one benchmark, the machine's description first. */
export function markdownOf(results: Results): string {
  const { machine } = results;
  const rounds = results.rounds === 1 ? 'one round' : `${results.rounds} interleaved rounds`;
  const { peerRounds } = results;
  const fewer = peerRounds < results.rounds ? ` (the slow programs in the first ${peerRounds})` : '';
  const lines = [
    `Measured on ${results.date} at commit ${machine.commit}: ${machine.cpu}, ${machine.cores} cores, ` +
      `${machine.memoryGb} GB memory, ${machine.kernel}, Node ${machine.node}, mongod ${machine.mongod}, ` +
      `load average ${machine.loadBefore} before the start. ${results.days} days, ${rounds}${fewer}: median (least–most).`,
  ];
  for (const layout of ['flat', 'timeseries'] as const) {
    const entries = results.contestants.filter((entry) => entry.layout === layout);
    if (entries.length === 0) continue;
    lines.push('', `### ${LAYOUT_TITLES[layout]}`, '', ...contestantTable(entries));
  }
  if (results.scaling.length > 0) {
    lines.push('', '### Workers and days (this loader, default batches, one run each)', '');
    lines.push(...scalingTable(results.scaling));
  }
  if (results.start) {
    lines.push('', '### Starting (server running, database new, rounds interleaved)', '');
    lines.push(...startTable(results.start));
  }
  return lines.join('\n');
}

const BEGIN = '<!-- results: written by npm run bench -->';
const END = '<!-- end of results -->';

/** The text with what is between its markers replaced. @throws Error where it has no markers. */
export function replaceResults(text: string, markdown: string): string {
  const from = text.indexOf(BEGIN);
  const to = text.indexOf(END);
  if (from < 0 || to < from) throw new Error(`bench/README.md lacks its markers: ${BEGIN} … ${END}`);
  return `${text.slice(0, from + BEGIN.length)}\n\n${markdown}\n\n${text.slice(to)}`;
}
