/** Settings that are right one by one and make no sense together. */
import { usageError } from '../errors.js';
import { FIRST_INSTANT, LAST_INSTANT } from '../time.js';
import { type SettingName, settingEntry } from './catalog.js';
import { MAX_DAYS, VALUES, type Values } from './schema.js';
import {
  type Candidate,
  type Candidates,
  describeCandidate,
  isServiceLink,
  Rank,
  rankOf,
  type SettingSources,
} from './sources.js';

export const MS_PER_DAY = 86_400_000;

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
export function refuseContradictions(
  values: Values,
  candidates: Candidates,
  now: Date,
  nameOf: NameOf,
): void {
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
export function withoutUnneeded(candidates: Candidates): Candidates {
  if (!usesUri(candidates)) return candidates;
  const needed: Partial<Record<SettingName, Candidate>> = { ...candidates };
  for (const name of leftOut(candidates)) {
    needed[name] = { text: settingEntry(name).default ?? '', rank: Rank.default, source: 'default' };
  }
  return needed;
}

/** What is said about them. */
export function noticesOf(sources: SettingSources, candidates: Candidates): readonly string[] {
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
