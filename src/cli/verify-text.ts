/** What `verify` says, as trees and as an object. Pure. */

import type { Defect, Example, RepairPlan, Selection, VerifyReport } from '../library/verify.js';
import { type Branch, columns, count, counted, duration, percent, period, tree } from '../output/format.js';
import { bar } from '../output/live-bar.js';

const MS_PER_MINUTE = 60_000;
const BAR_WIDTH = 30;
const LEAST_BAR_WIDTH = 10;
/** Series named in the tree; the JSON object has all. */
const SERIES_SHOWN = 15;

/** What is going to be compared. */
export function selectionLines({ dataset, run }: Selection, database: string): string[] {
  const { seed, layout, window } = dataset;
  const dates = {
    start: new Date(window.start * MS_PER_MINUTE),
    end: new Date(window.end * MS_PER_MINUTE),
  };
  const unfinished = run && run.state !== 'complete' ? `: ${run.state}, not complete` : '';
  return [
    `🔍 Comparing database ${database} with ${run ? `run ${run._id}${unfinished}` : 'the dataset described'}`,
    ...tree([`layout ${layout}, seed ${seed}`, `Period: ${period(dates)}`]),
  ];
}

/**
 * How far the comparison is.
 * @param width of a line that is drawn over, with a bar; undefined for one of many, without
 */
export function progressText(compared: number, planned: number, elapsedMs: number, width?: number): string {
  const rate = elapsedMs > 0 ? (compared / elapsedMs) * 1000 : 0;
  const share = `${percent(compared, planned)}%`;
  const counts = `${count(compared)}/${count(planned)}`;
  const full = `${share} (${counts} records) · ${count(rate)} records/s`;
  if (width === undefined) return full;
  for (const text of [full, `${share} (${counts})`, share]) {
    const room = Math.min(BAR_WIDTH, width - text.length - 1);
    if (room >= LEAST_BAR_WIDTH) return `${bar(compared, planned, room)} ${text}`;
  }
  return share;
}

/** What to do where database and dataset differ. */
export interface NextCommand {
  readonly what: string;
  /** As a shell takes it; undefined where there is none. */
  readonly command: string | undefined;
}

/** The comparison's outcome. */
export function reportLines(report: VerifyReport, next?: NextCommand): string[] {
  const { records, assets, fingerprint, recordsPerSecond, elapsedMs, readFrom } = report;
  const compared = [
    `Records: ${count(records.found)} found, ${count(records.expected)} planned`,
    ...(records.ofOtherRuns > 0 ? [`Beside them: ${count(records.ofOtherRuns)} of other runs`] : []),
    ...(report.expired > 0
      ? [`Expired: ${count(report.expired)} of the planned are older than metrics keeps them`]
      : []),
    `Assets: ${count(assets.found)} found, ${count(assets.expected)} planned`,
    `Dataset fingerprint: ${fingerprint}`,
    ...(readFrom.address === undefined ? [] : [`Read from the ${readFrom.role} ${readFrom.address}`]),
    `Compared in ${duration(elapsedMs)}, ${count(recordsPerSecond)} records/s`,
  ];
  if (report.status === 'equal') {
    const others = records.ofOtherRuns;
    const rest = others > 0 ? `, beside ${count(others)} of other runs` : ', nothing else';
    return [`✅ Equal: every record once${rest}`, ...tree(compared)];
  }
  const branches: Branch[] = [...compared];
  const total = defectText(records);
  if (total) branches.push([`Defects: ${total}`, seriesBranches(report)]);
  const ofAssets = defectText({
    missing: assets.missing.length,
    different: assets.different.length,
    foreign: assets.foreign.length,
  });
  if (ofAssets) {
    const ids = [...assets.missing, ...assets.different, ...assets.foreign].slice(0, 5);
    branches.push([`Defective assets: ${ofAssets}`, [`such as ${ids.join(', ')}`]]);
  }
  if (report.examples.length > 0) branches.push(['The first of them', report.examples.map(exampleText)]);
  if (next) branches.push(next.command === undefined ? next.what : `${next.what}: ${next.command}`);
  return ['❌ Different', ...tree(branches)];
}

function seriesBranches({ series }: VerifyReport): Branch[] {
  const rows = series
    .slice(0, SERIES_SHOWN)
    .map(({ assetId, metricName, counts }) => [`${assetId} ${metricName}`, defectText(counts)] as const);
  const more = series.length - rows.length;
  return [...columns(rows), ...(more > 0 ? [`and ${counted(more, 'more series', 'more series')}`] : [])];
}

/** `2 missing, 1 doubled`, without what there is none of. */
function defectText(counts: Partial<Record<Defect, number>>): string {
  const order: readonly Defect[] = ['missing', 'doubled', 'different', 'foreign'];
  return order
    .filter((defect) => (counts[defect] ?? 0) > 0)
    .map((defect) => `${count(counts[defect] ?? 0)} ${defect}`)
    .join(', ');
}

function exampleText(example: Example): string {
  const { defect, assetId, metricName, minute, expected, found, foundMinute } = example;
  const values = [
    expected === undefined ? '' : `expected ${expected}`,
    found === undefined ? '' : `found ${found}`,
    foundMinute === undefined ? '' : `at ${instantText(foundMinute) ?? 'no usable time'}`,
    defect === 'different' && expected === found && foundMinute === undefined ? 'other fields differ' : '',
  ].filter(Boolean);
  const when = instantText(minute) ?? 'no usable timestamp';
  return `${defect}: ${assetId} ${metricName} ${when}${values.length > 0 ? `, ${values.join(', ')}` : ''}`;
}

function instantText(minute: number): string | undefined {
  const instant = new Date(minute * MS_PER_MINUTE);
  return Number.isNaN(instant.getTime()) ? undefined : instant.toISOString();
}

/** What a repair is about to do. */
export function repairLines(plan: RepairPlan): string[] {
  const branches: string[] = [];
  if (plan.insert > 0) branches.push(`insert ${counted(plan.insert, 'missing record')}`);
  if (plan.replace > 0)
    branches.push(
      `put right ${counted(plan.replace, 'record')} that ${plan.replace === 1 ? 'differs' : 'differ'}`,
    );
  if (plan.assets > 0) branches.push(`write ${counted(plan.assets, 'asset')}`);
  if (plan.leave > 0) branches.push(`leave ${count(plan.leave)} that only --clean, or you, can remove`);
  return ['🔧 Repair is going to', ...tree(branches)];
}

/** The `--json` object. */
export function verifyResult(
  report: VerifyReport,
  { dataset, run }: Selection,
  database: string,
  repaired: number,
  next: NextCommand | undefined,
): object {
  const { repairable: _, examples, series, ...rest } = report;
  return {
    ...rest,
    repaired,
    next: next?.command ?? null,
    database,
    runId: run?._id ?? null,
    seed: dataset.seed,
    layout: dataset.layout,
    window: {
      start: instantText(dataset.window.start),
      end: instantText(dataset.window.end),
    },
    series: series.map(({ assetId, metricName, counts }) => ({ assetId, metricName, ...counts })),
    examples: examples.map(({ minute, foundMinute, ...example }) => ({
      ...example,
      timestamp: instantText(minute) ?? null,
      ...(foundMinute === undefined ? {} : { foundTimestamp: instantText(foundMinute) ?? null }),
    })),
  };
}
