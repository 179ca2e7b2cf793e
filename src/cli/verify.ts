/** `seed-database verify`: compares a database with the dataset that it should hold. */
import type { SettingName } from '../config/catalog.js';
import { readConfiguration } from '../config/configuration.js';
import { ExitStatus } from '../errors.js';
import {
  type Defect,
  type Example,
  type NextStep,
  type RepairPlan,
  type Selection,
  type VerifyReport,
  verifyDatabase,
} from '../library/verify.js';
import { type Branch, columns, count, counted, duration, period, tree } from '../output/format.js';
import { Screen } from '../output/screen.js';
import { shellWord } from '../output/shell.js';
import { STOPPED_CLEANING } from '../output/tree-text.js';
import { jsonText } from '../output/width.js';
import { commandHints, flagText } from './commands.js';
import { CONNECTION_SETTINGS, VERIFY_SETTINGS } from './options.js';
import { askForName, Progress } from './terminal.js';

type Flags = Partial<Record<SettingName, string>>;

export interface VerifyOptions {
  readonly repair: boolean;
  /** Id of the run to verify; undefined: the newest one. */
  readonly run: string | undefined;
}

/** @returns done where database and dataset are equal, failure where they differ. */
export async function verify(flags: Flags, { repair, run }: VerifyOptions): Promise<ExitStatus> {
  const { settings } = readConfiguration({ flags, environment: process.env, directory: process.cwd() });
  const { output, connection } = settings;
  const { database } = connection;
  const screen = new Screen(output.json ? process.stderr : process.stdout, output.color, process.env.TERM);
  const errors = new Screen(process.stderr, output.color, process.env.TERM);
  const say = (lines: readonly string[]) => output.quiet || screen.print(lines);
  const progress = new Progress(output.quiet ? undefined : screen);
  const verified = await verifyDatabase(settings, {
    run,
    repair,
    inform: (message) => say([message]),
    warn: (message) => errors.print([`⚠️  ${message}`], 'warning'),
    onSelected: (selection) => say(selectionLines(selection, database)),
    onProgress: (compared, planned) => progress.show(compared, planned),
    onRepair: (plan, report) => {
      progress.end();
      say(reportLines(report));
      say(repairLines(plan));
    },
    confirm: async () => askForName('This changes the production database', database) ?? false,
  }).finally(() => progress.end());
  const { report, selection, repaired } = verified;
  const next = nextCommand(verified.next, flags, run);
  if (output.quiet) screen.print(output.json ? [] : reportLines(report).slice(0, 1));
  else say(reportLines(report, next));
  if (output.json) {
    process.stdout.write(`${jsonText(verifyResult(report, selection, database, repaired, next))}\n`);
  }
  return report.status === 'equal' ? ExitStatus.done : ExitStatus.failure;
}

/** Flags of `verify` that say what is compared, and how. */
const COMPARING = VERIFY_SETTINGS.filter((name) => name !== 'quiet' && !CONNECTION_SETTINGS.includes(name));

/** @param run as typed: `--run` */
function nextCommand(next: NextStep, flags: Flags, run: string | undefined): NextCommand | undefined {
  const { program, connectionFlags, beside } = commandHints(flags);
  const command = (text: string) => `${program} ${text}${connectionFlags}`;
  switch (next) {
    case 'wait for the loader':
      return { what: `A loader is at work; see when it is done${beside}`, command: command('status') };
    case 'look at open runs':
      return { what: `Not finished; see what is open${beside}`, command: command('status') };
    case 'resume the cleaning':
      return { what: `Not finished: it ${STOPPED_CLEANING}${beside}`, command: command('--resume') };
    case 'resume':
      return { what: `Not finished; continue with${beside}`, command: command('--resume') };
    case 'repair': {
      const which = run === undefined ? '' : ` --run ${shellWord(run)}`;
      const same = flagText(flags, COMPARING);
      return { what: `Repair with${beside}`, command: command(`verify --repair${which}${same}`) };
    }
    case 'clean':
      return { what: 'What is too much only --clean, or you, can remove', command: undefined };
    case 'nothing':
      return undefined;
  }
}

// What `verify` says, as trees and as an object. Pure.

const MS_PER_MINUTE = 60_000;
/** Series named in the tree; the JSON object has all. */
const SERIES_SHOWN = 15;

/** What is going to be compared. */
function selectionLines({ dataset, run }: Selection, database: string): string[] {
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

/** What to do where database and dataset differ. */
export interface NextCommand {
  readonly what: string;
  /** As a shell takes it; undefined where there is none. */
  readonly command: string | undefined;
}

/** The comparison's outcome. */
export function reportLines(report: VerifyReport, next?: NextCommand): string[] {
  const { records, assets, fingerprint, recordsPerSecond, elapsedMs, readFrom, inBuckets } = report;
  const byBuckets = inBuckets === 0 ? '' : `, ${count(inBuckets)} of them by their compressed buckets`;
  const compared = [
    `Records: ${count(records.found)} found, ${count(records.expected)} planned`,
    ...(records.ofOtherRuns > 0 ? [`Beside them: ${count(records.ofOtherRuns)} of other runs`] : []),
    ...(report.expired > 0
      ? [`Expired: ${count(report.expired)} of the planned are older than metrics keeps them`]
      : []),
    `Assets: ${count(assets.found)} found, ${count(assets.expected)} planned`,
    ...(report.events
      ? [`Events: ${count(report.events.found)} found, ${count(report.events.expected)} planned`]
      : []),
    `Dataset fingerprint: ${fingerprint}`,
    ...(readFrom.address === undefined ? [] : [`Read from the ${readFrom.role} ${readFrom.address}`]),
    `Compared in ${duration(elapsedMs)}, ${count(recordsPerSecond)} records/s${byBuckets}`,
  ];
  if (report.status === 'equal') {
    const others = records.ofOtherRuns;
    const rest = others > 0 ? `, beside ${count(others)} of other runs` : ', nothing else';
    return [`✅ Equal: every record once${rest}`, ...tree(compared)];
  }
  const branches: Branch[] = [...compared];
  const total = defectText(records);
  if (total) branches.push([`Defects: ${total}`, seriesBranches(report)]);
  const ofEvents = report.events && defectText(countsOf(report.events));
  if (ofEvents) branches.push(`Defective events: ${ofEvents}`);
  const ofAssets = defectText(countsOf(assets));
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

function countsOf({ missing, different, foreign }: VerifyReport['assets']) {
  return { missing: missing.length, different: different.length, foreign: foreign.length };
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
  const { defect, assetId, metricName, ms, expected, found, foundMs } = example;
  const values = [
    expected === undefined ? '' : `expected ${expected}`,
    found === undefined ? '' : `found ${found}`,
    foundMs === undefined ? '' : `at ${instantText(foundMs) ?? 'no usable time'}`,
    defect === 'different' && expected === found && foundMs === undefined ? 'other fields differ' : '',
  ].filter(Boolean);
  const when = instantText(ms) ?? 'no usable timestamp';
  return `${defect}: ${assetId} ${metricName} ${when}${values.length > 0 ? `, ${values.join(', ')}` : ''}`;
}

function instantText(ms: number): string | undefined {
  const instant = new Date(ms);
  return Number.isNaN(instant.getTime()) ? undefined : instant.toISOString();
}

/** What a repair is about to do. */
function repairLines(plan: RepairPlan): string[] {
  const branches: string[] = [];
  if (plan.insert > 0) branches.push(`insert ${counted(plan.insert, 'missing record')}`);
  if (plan.replace > 0)
    branches.push(
      `put right ${counted(plan.replace, 'record')} that ${plan.replace === 1 ? 'differs' : 'differ'}`,
    );
  if (plan.assets > 0) branches.push(`write ${counted(plan.assets, 'asset')}`);
  if (plan.events > 0) branches.push(`write ${counted(plan.events, 'event')}`);
  if (plan.leave > 0) branches.push(`leave ${count(plan.leave)} that only --clean, or you, can remove`);
  return ['🔧 Repair is going to', ...tree(branches)];
}

/** The `--json` object. */
function verifyResult(
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
      start: instantText(dataset.window.start * MS_PER_MINUTE),
      end: instantText(dataset.window.end * MS_PER_MINUTE),
    },
    series: series.map(({ assetId, metricName, counts }) => ({ assetId, metricName, ...counts })),
    examples: examples.map(({ ms, foundMs, ...example }) => ({
      ...example,
      timestamp: instantText(ms) ?? null,
      ...(foundMs === undefined ? {} : { foundTimestamp: instantText(foundMs) ?? null }),
    })),
  };
}
