/** All sources together, validated once: the settings, and where each of them came from. */
import { usageError } from '../errors.js';
import { FIRST_INSTANT, LAST_INSTANT } from '../time.js';
import { SETTING_NAMES, type SettingName, settingEntry } from './catalog.js';
import { connectionSettings } from './connection.js';
import { MAX_DAYS, VALUES, type Values } from './schema.js';
import type { ExistingData, Part, Section, Settings } from './settings.js';
import {
  type Candidate,
  type Candidates,
  describeCandidate,
  gatherCandidates,
  isServiceLink,
  Rank,
  rankOf,
  type SettingSources,
  settingLabel,
} from './sources.js';
import { compressorsOf, maskUri, type UriParts, writeConcernOf } from './uri.js';

/** One setting as it takes effect, for people. */
export interface EffectiveSetting {
  readonly name: SettingName;
  readonly flag: string | null;
  readonly variable: string | null;
  /** As text, secrets masked; null where it is unset. */
  readonly value: string | null;
  /** `flag --days`, `environment ENVIRONMENT`, `.env, line 3`, `default` or `unset`. */
  readonly source: string;
}

export interface Configuration {
  readonly settings: Settings;
  /** In the order of the catalog. */
  readonly effective: readonly EffectiveSetting[];
}

/**
 * Reads and validates every setting.
 * @param now the current instant, which bounds how far back `--days` can reach
 * @throws SeedError (usage) with one line that names the flag or variable, its value and what is
 *   allowed
 */
export function readConfiguration(sources: SettingSources, now = new Date()): Configuration {
  const gathered = gatherCandidates(sources);
  const candidates = withoutUnneeded(gathered);
  const values = validate(candidates);
  refuseContradictions(values, candidates, now, settingLabel);
  return {
    settings: settingsOf(values, candidates, noticesOf(sources, gathered)),
    effective: SETTING_NAMES.map((name) => effectiveSetting(name, candidates)),
  };
}

/**
 * The settings of a caller of the library, who knows them by their names. What is not given has the
 * default that the command line has; no variable and no file is read.
 * @param options values that {@link TYPED} has accepted
 * @throws SeedError (usage) for values that make no sense together
 */
export function configure(options: Partial<Values>, now = new Date()): Settings {
  const defaults = gatherCandidates({ flags: {}, environment: {} });
  const own = Object.entries(options).filter(([, value]) => value !== undefined);
  const values = { ...validate(defaults), ...Object.fromEntries(own) };
  const given: Candidate = { text: '', rank: Rank.flag, source: 'option' };
  const candidates = { ...defaults, ...Object.fromEntries(own.map(([name]) => [name, given])) };
  refuseContradictions(values, candidates, now, (name) => name);
  return settingsOf(values, candidates, []);
}

function settingsOf(values: Values, candidates: Candidates, notices: readonly string[]): Settings {
  const uri = usesUri(candidates) ? values.uri : undefined;
  const fromUri = <T>(read: (uri: UriParts) => T) => (uri ? read(uri) : undefined);
  return {
    connection: connectionSettings(values, candidates, notices),
    load: {
      fleet: {
        source: values.fleet,
        scale: values.scale,
        timezone: values.timezone,
        interval: values.interval,
        jitterMs: values.jitter,
      },
      window: { days: daysOf(values), start: values.start, end: values.end },
      seed: values.seed,
      sections: sectionsOf(values),
      layout: values.layout,
      availabilityScale: values.availabilityScale,
      environment: values.environment,
      events: values.events ?? false,
      existing: existingData(values),
      part: partOf(values),
      shard: values.shard ?? false,
      workers: values.workers,
      batchSize: values.batchSize,
      rate: values.rate,
      shardDays: values.shardDays,
      writer: values.writer,
      writeConcern: values.writeConcern ?? fromUri(writeConcernOf),
      clustered: values.clustered,
      ttlDays: values.ttlDays,
      compressors: values.compressors ?? fromUri(compressorsOf) ?? [],
      retrySeconds: values.retrySeconds,
      extending: undefined,
      confirmed: values.yes ?? false,
      dryRun: values.dryRun ?? false,
      given: flagsGiven(candidates),
    },
    output: {
      json: values.json ?? false,
      quiet: values.quiet ?? false,
      color: values.color,
      logLevel: values.logLevel,
      logFile: values.logFile,
    },
  };
}

function validate(candidates: Candidates): Values {
  const texts = Object.fromEntries(SETTING_NAMES.map((name) => [name, candidates[name]?.text]));
  const result = VALUES.safeParse(texts);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const name = issue.path[0] as SettingName;
  const candidate = candidates[name];
  const label = candidate ? describeCandidate(name, candidate) : settingLabel(name);
  throw usageError(`${label}: must be ${issue.message}`);
}

/** With both ends given the days follow from them, whole or not. */
function daysOf({ days, start, end }: Values): number {
  return start && end ? (end.getTime() - start.getTime()) / MS_PER_DAY : days;
}

function sectionsOf({ assetsOnly, metricsOnly, pollingOnly, backupOnly }: Values): readonly Section[] {
  if (assetsOnly) return [];
  if (!metricsOnly && !pollingOnly && !backupOnly) return ['metrics', 'polling', 'backup'];
  const chosen: Section[] = [];
  if (metricsOnly) chosen.push('metrics');
  if (pollingOnly) chosen.push('polling');
  if (backupOnly) chosen.push('backup');
  return chosen;
}

function existingData({ clean, resume, skipCleanup }: Values): ExistingData {
  if (clean) return 'clean';
  if (resume) return 'resume';
  return skipCleanup ? 'keep' : 'refuse';
}

/** One part is the whole: an ordinary load. */
function partOf({ part, parts }: Values): Part | undefined {
  return part === undefined || parts === undefined || parts === 1 ? undefined : { number: part, of: parts };
}

function flagsGiven(candidates: Candidates): readonly string[] {
  return SETTING_NAMES.filter((name) => candidates[name]?.rank === Rank.flag).map(settingLabel);
}

function effectiveSetting(name: SettingName, candidates: Candidates): EffectiveSetting {
  const { flag = null, variable = null, secret } = settingEntry(name);
  const candidate = candidates[name];
  const text = candidate?.text ?? null;
  const shown = text === null ? null : secret ? '****' : name === 'uri' ? maskUri(text) : text;
  return { name, flag, variable, value: shown, source: candidate?.source ?? 'unset' };
}

// Settings that are right one by one and make no sense together.

const MS_PER_DAY = 86_400_000;

/** Pairs of flags of which only one can be meant. */
const EXCLUSIVE: readonly (readonly [SettingName, SettingName])[] = [
  ['clean', 'resume'],
  ['clean', 'skipCleanup'],
  ['resume', 'skipCleanup'],
  ['assetsOnly', 'metricsOnly'],
  ['assetsOnly', 'pollingOnly'],
  ['assetsOnly', 'backupOnly'],
];

/** Flags of which the second says what the first has said already. */
const SAME_MEANING: readonly (readonly [SettingName, SettingName])[] = [
  ['uri', 'host'],
  ['uri', 'port'],
];

/** How whoever has given a setting calls it. */
type NameOf = (name: SettingName) => string;

/** @throws SeedError (usage), one line */
function refuseContradictions(values: Values, candidates: Candidates, now: Date, nameOf: NameOf): void {
  const together = (one: SettingName, other: SettingName) =>
    usageError(`${nameOf(one)} and ${nameOf(other)} exclude each other: give one of them`);
  for (const [one, other] of EXCLUSIVE) {
    if (values[one] && values[other]) throw together(one, other);
  }
  for (const [one, other] of SAME_MEANING) {
    if (candidates[one]?.rank === Rank.flag && candidates[other]?.rank === Rank.flag)
      throw together(one, other);
  }
  if (values.ttlDays !== undefined && values.layout === 'flat') {
    throw usageError(`${nameOf('ttlDays')} needs ${nameOf('layout')} timeseries: flat records do not expire`);
  }
  if (values.minPoolSize > values.maxPoolSize) {
    throw usageError(
      `MONGODB_MIN_POOL_SIZE=${values.minPoolSize} is more than MONGODB_MAX_POOL_SIZE=${values.maxPoolSize}`,
    );
  }
  refuseParts(values);
  refuseWindow(values, candidates.days?.rank === Rank.flag, now, nameOf);
}

function refuseParts({ parts, part, seed, resume, clean }: Values): void {
  if (parts === undefined && part === undefined) return;
  if (parts === undefined) throw usageError('--part needs --parts: of how many');
  if (part === undefined) throw usageError('--parts needs --part: which of them this loader loads');
  if (part > parts) throw usageError(`--part ${part} must be from 1 to --parts ${parts}`);
  if (clean) {
    throw usageError(
      '--clean and --parts exclude each other: a part that starts late would remove what others have loaded',
      'clean once before: seed-database --assets-only --clean',
    );
  }
  if (seed === undefined && !resume) {
    throw usageError('--parts needs --seed: all parts have to load the same dataset');
  }
}

function refuseWindow({ start, end, days }: Values, daysGiven: boolean, now: Date, nameOf: NameOf): void {
  if (start && end) {
    if (start >= end) {
      throw usageError(
        `${nameOf('start')} ${start.toISOString()} must be before ${nameOf('end')} ${end.toISOString()}`,
      );
    }
    const between = (end.getTime() - start.getTime()) / MS_PER_DAY;
    if (between > MAX_DAYS) {
      throw usageError(
        `${nameOf('start')} ${start.toISOString()} and ${nameOf('end')} ${end.toISOString()} are more than ${MAX_DAYS} days apart`,
      );
    }
    if (daysGiven && days !== between) {
      throw usageError(
        `${nameOf('days')} ${days} does not fit: ${nameOf('start')} and ${nameOf('end')} are ${Number(between.toFixed(3))} days apart`,
      );
    }
    return;
  }
  if (start && start.getTime() + days * MS_PER_DAY > LAST_INSTANT.getTime()) {
    throw usageError(
      `${nameOf('days')} ${days} from ${nameOf('start')} ${start.toISOString()} ends after the year 9999`,
    );
  }
  if (!start && (end ?? now).getTime() - days * MS_PER_DAY < FIRST_INSTANT.getTime()) {
    throw usageError(
      `${nameOf('days')} ${days} would begin before 1970-01-01, the first day that data can have`,
    );
  }
}

// Variables that are wrong and decide nothing stop no command: they are left out, with a word about
// it.

/** What a connection string stands in for. */
const ADDRESS: readonly SettingName[] = ['host', 'port'];

/**
 * True where the connection string says which server; a host or port from a stronger source
 * replaces it.
 */
export function usesUri(candidates: Candidates): boolean {
  const byParts = Math.max(...ADDRESS.map((name) => rankOf(candidates, name)));
  return rankOf(candidates, 'uri') > Rank.default && rankOf(candidates, 'uri') >= byParts;
}

/**
 * The candidates without addresses that cannot be read where a connection string says which server
 * is meant.
 */
function withoutUnneeded(candidates: Candidates): Candidates {
  if (!usesUri(candidates)) return candidates;
  const needed: Partial<Record<SettingName, Candidate>> = { ...candidates };
  for (const name of leftOut(candidates)) {
    needed[name] = { text: settingEntry(name).default ?? '', rank: Rank.default, source: 'default' };
  }
  return needed;
}

/** What is said about them. */
function noticesOf(sources: SettingSources, candidates: Candidates): readonly string[] {
  const wrong = usesUri(candidates) ? leftOut(candidates) : [];
  const notices = wrong.map((name) => {
    const candidate = candidates[name];
    const label = candidate ? describeCandidate(name, candidate) : name;
    return `${label} is left out: the connection string says which server is meant`;
  });
  if (isServiceLink('port', sources) && !sources.unused?.includes('port')) {
    const named = Math.max(rankOf(candidates, 'uri'), rankOf(candidates, 'port'), rankOf(candidates, 'host'));
    const way = named > Rank.default ? '' : '; name the server with --uri, or --host and --port';
    notices.push(
      `MONGODB_PORT=${JSON.stringify(sources.environment.MONGODB_PORT).slice(1, -1)} is left out: it is a service link of Kubernetes or Docker, and no port${way}`,
    );
  }
  return notices;
}

function leftOut(candidates: Candidates): readonly SettingName[] {
  return ADDRESS.filter((name) => {
    const candidate = candidates[name];
    if (!candidate || candidate.rank === Rank.flag || candidate.rank === Rank.default) return false;
    return !VALUES.shape[name as 'host' | 'port'].safeParse(candidate.text).success;
  });
}
