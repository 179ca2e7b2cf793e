/**
 * A picture in a terminal: sparklines and tables of plain text, no wider than they may be. Pure.
 */

import { type Branch, counted, period, tree } from '../output/format.js';
import { cut, hanging, oneLine, widthOf } from '../output/width.js';
import { instantOf } from '../plan/plan.js';
import { minutesText } from './draw.js';
import {
  condense,
  type DatasetPicture,
  lastWeek,
  type MachinePicture,
  type MetricPicture,
  metricsOf,
  RESPONSE_TIME,
  type Scale,
  shareOf,
} from './picture.js';

const DAY_CELLS = 24;
/** Cells of a week, the most that fit: a whole number a day. */
const WEEK_CELLS = [28, 21, 14, 7];
/** Around names: the tree's lines, gaps, the day, the mean, the end of the scale. */
const FRAME = 7 + 2 + DAY_CELLS + 2 + 1 + 5 + 5;
const LONGEST_NAME = 16;
const SHORTEST_NAME = 4;
const SHORTEST_LABEL = 8;

/** A heading, and its lines. */
export type Block = readonly [heading: string, ...lines: string[]];

/** What is pictured. */
export function sourceBlock({ source, window, counts, omitted }: DatasetPicture): Block {
  const dates = { start: instantOf(window.start), end: instantOf(window.end) };
  const assets = `${counted(counts.machines, 'machine')}, ${counted(counts.services, 'service')}`;
  const shown =
    omitted.machines > 0 ? `, of which ${counts.machines - omitted.machines} machines are drawn` : '';
  const branches =
    source.kind === 'model'
      ? [`Seed: ${source.seed}, model version ${source.modelVersion}`]
      : [
          `Database: ${oneLine(source.database)}, layout ${source.layout}, ${source.server}`,
          ...(source.seed === null ? [] : [`Seed: ${source.seed}`]),
        ];
  branches.push(`Period: ${period(dates)}`, `Assets: ${assets}${shown}`);
  return [
    source.kind === 'model' ? '📊 Preview of the dataset' : '📊 Report of the database',
    ...tree(branches),
  ];
}

/**
 * One sparkline of a day and one of a week for each machine and metric; of a week alone where there
 * is little room.
 */
export function sparklineBlock(picture: DatasetPicture, width: number): Block {
  const { machines, window } = picture;
  const names = machines.flatMap((machine) => metricsOf(machine).map((metric) => widthOf(labelOf(metric))));
  const withDay = FRAME + SHORTEST_NAME + 7 <= width;
  const frame = withDay ? FRAME : FRAME - DAY_CELLS - 2;
  const longest = Math.min(LONGEST_NAME, Math.max(0, ...names));
  const name = Math.max(SHORTEST_NAME, Math.min(longest, width - frame - 7));
  const week = WEEK_CELLS.find((cells) => frame + name + cells <= width) ?? 7;
  const last = instantOf(window.end - 1)
    .toISOString()
    .slice(0, 10);
  const daily = withDay ? `${'last 24 hours'.padEnd(DAY_CELLS)}  ` : '';
  const columns = `${''.padEnd(7 + name)}  ${daily}${(week > 7 ? 'last 7 days' : '7 days').padEnd(week)}  mean  top`;
  const lines = machines.flatMap((machine) => [
    `   ${cut(titleOf(machine), width - 3)}`,
    ...tree(
      metricsOf(machine).map((metric) =>
        row(metric, condense(lastWeek(metric.means, picture), week), name, withDay),
      ),
    ),
  ]);
  const notes = scaleNotes(machines).flatMap((note) => hanging(note, width, '   ', '   '));
  return [`📈 Machines, up to ${last}`, columns, ...lines, ...notes];
}

function labelOf({ metricName }: MetricPicture): string {
  return metricName === RESPONSE_TIME ? 'response_ms' : oneLine(metricName);
}

/** How the rows are to be read. */
function scaleNotes(machines: readonly MachinePicture[]): string[] {
  const response = machines.map(({ availability }) => availability?.response).find((one) => one);
  return [
    'All machines share one scale per metric; it ends at the value under "top" and begins at 0, or below it where values are negative.',
    ...(response
      ? [
          `response_ms is in milliseconds on a logarithmic scale from ${response.scale.from}; polls that timed out are left out.`,
        ]
      : []),
  ];
}

function row(
  metric: MetricPicture,
  week: readonly (number | null)[],
  name: number,
  withDay: boolean,
): string {
  const { mean, day, scale } = metric;
  const daily = withDay ? `${sparkline(day, scale)}  ` : '';
  const label = cut(labelOf(metric), name);
  const padding = ''.padEnd(name - widthOf(label));
  return `${label}${padding}  ${daily}${sparkline(week, scale)} ${short(mean, 1).padStart(5)}${short(scale.to, 0).padStart(5)}`;
}

/** In few characters: `52.3`, `1520`, `12k`. */
function short(value: number | null, digits: number): string {
  if (value === null) return '-';
  if (value >= 9999.5) return value < 999_500 ? `${(value / 1000).toFixed(0)}k` : value.toExponential(0);
  return value.toFixed(value < 999.5 ? digits : 0);
}

function titleOf({ assetId, name, pattern, assetType }: MachinePicture): string {
  return [assetId, name, pattern ?? assetType].map(oneLine).join(' · ');
}

/** Totals, and whether what is expected of the default fleet is so. */
export function promisesBlock(picture: DatasetPicture): Block {
  const { uptime, backups, figures, machines } = picture;
  const outside = machines.flatMap(({ assetId, figures: all }) =>
    all
      .filter(({ within }) => within === false)
      .map(
        ({ what, expected, measured, low, high }) =>
          `${oneLine(assetId)}: ${what}: ${measured?.toFixed(1)}, expected ${low} to ${high} (${expected})`,
      ),
  );
  const branches: Branch[] = [
    `Uptime: machines ${share(uptime.machines)}, services ${share(uptime.services)}`,
    `Backups: ${backups.succeeded} of ${backups.attempted} good`,
  ];
  if (figures.measured > 0) {
    branches.push([
      `Expected and measured: ${figures.within} of ${figures.measured} figures are within their ranges`,
      outside,
    ]);
  }
  return ['📐 Figures', ...tree(branches)];
}

/** Availability of every asset. */
export function availabilityBlock({ machines, services }: DatasetPicture, width: number): Block {
  const rows = [...machines, ...services].flatMap(({ assetId, availability }) => {
    if (!availability) return [];
    const { uptime, down, degraded, outages, response } = availability;
    const answer = response?.mean ? `${short(response.mean, 0)} ms` : '-';
    return [[assetId, share(uptime), minutes(down), minutes(degraded), String(outages), answer]];
  });
  const heads = ['', 'up', 'down', 'degraded', 'incidents', 'answers in'];
  return ['🚨 Availability, and the mean time of an answer', ...table(heads, rows, width)];
}

/** Backups and recovery points of every machine. */
export function backupBlock({ machines }: DatasetPicture, width: number): Block {
  const rows = machines.flatMap(({ assetId, backups }) => {
    if (!backups) return [];
    const { attempted, succeeded, successRate, expected, recoveryPoint, worstRecoveryPoint } = backups;
    return [
      [
        assetId,
        `${succeeded} of ${attempted}`,
        share(successRate, 1),
        expected === null ? '-' : `${expected} %`,
        minutes(recoveryPoint),
        minutes(worstRecoveryPoint),
      ],
    ];
  });
  const heads = ['', 'good', 'success', 'expected', 'last good', 'worst gap'];
  return ['💾 Backups: the age of the last good one is the recovery point', ...table(heads, rows, width)];
}

/**
 * Columns under their heads, as branches; the first column gives way where there is little room,
 * and all where there is none.
 */
function table(heads: readonly string[], rows: readonly (readonly string[])[], width: number): string[] {
  if (rows.length === 0) return tree(['none']);
  const widths = heads.map((head, i) => Math.max(widthOf(head), ...rows.map((cells) => widthOf(cells[i]))));
  const others = widths.slice(1).reduce((sum, one) => sum + one + 2, 0);
  if (7 + SHORTEST_LABEL + others > width) {
    const told = (cells: readonly string[]) => cells.map((cell, i) => `${heads[i + 1]} ${cell}`).join(', ');
    return tree(rows.map(([name, ...cells]) => [oneLine(name), [told(cells)]]));
  }
  const first = Math.max(SHORTEST_LABEL, Math.min(widths[0], width - 7 - others));
  const line = ([name, ...cells]: readonly string[]) => {
    const label = cut(oneLine(name), first);
    const rest = cells.map((cell, i) => `  ${cell.padStart(widths[i + 1])}`).join('');
    return `${label}${''.padEnd(first - widthOf(label))}${rest}`;
  };
  return [`       ${line(heads)}`, ...tree(rows.map(line))];
}

function share(percent: number | null, digits = 2): string {
  return percent === null ? '-' : `${percent.toFixed(digits)} %`;
}

function minutes(value: number | null): string {
  if (value === null) return 'never';
  return value === 0 ? '-' : minutesText(value);
}

// A row of values in the room of a word.

const LEVELS = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/** One character for each value, a blank for none. */
export function sparkline(values: readonly (number | null)[], scale: Scale): string {
  return values.map((value) => (value === null ? ' ' : level(shareOf(value, scale)))).join('');
}

function level(share: number): string {
  return LEVELS[Math.min(LEVELS.length - 1, Math.floor(share * LEVELS.length))];
}
