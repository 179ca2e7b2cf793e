/** All sources together, validated once: the settings, and where each of them came from. */
import { usageError } from '../errors.js';
import { SETTING_NAMES, type SettingName, settingEntry } from './catalog.js';
import { connectionSettings } from './connection.js';
import { MS_PER_DAY, noticesOf, refuseContradictions, usesUri, withoutUnneeded } from './contradictions.js';
import { maskUri } from './mask.js';
import { VALUES, type Values } from './schema.js';
import type { ExistingData, Part, Section, Settings } from './settings.js';
import {
  type Candidate,
  type Candidates,
  describeCandidate,
  gatherCandidates,
  Rank,
  type SettingSources,
  settingLabel,
} from './sources.js';
import { compressorsOf, type UriParts, writeConcernOf } from './uri.js';

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
