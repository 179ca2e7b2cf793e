/** Options of a connection string that this program reads itself, or cannot honour. All others the driver judges. */
import { type SeedError, usageError } from '../errors.js';
import { hasOption, percentDecoded, type UriParts } from './uri.js';

const MOST_MEMBERS = 50;
/** `snapshot` and `linearizable` are for single reads: not every server and command knows them. */
const READ_CONCERNS = ['local', 'majority', 'available'];
/** The least that a server may lag behind to be told from one that does not. */
const LEAST_STALENESS_S = 90;

/** Spellings that the driver still takes, and warns of on standard error. */
const OLD_SPELLINGS: Readonly<Record<string, string>> = { j: 'journal', wtimeout: 'wtimeoutMS' };
/** The driver takes it, warns, and does nothing with it. */
const WITHOUT_EFFECT = 'timeoutms';

/** The same connection string in spellings that the driver does not warn of. */
export function inCurrentSpelling(uri: UriParts): UriParts {
  const query = uri.query
    .filter((pair) => nameOf(pair) !== WITHOUT_EFFECT)
    .map((pair) => {
      const current = OLD_SPELLINGS[nameOf(pair)];
      return current === undefined ? pair : `${current}${pair.slice(pair.split('=')[0].length)}`;
    });
  return { ...uri, query };
}

/** @throws SeedError (usage) that names the option */
export function refuseOptions(uri: UriParts): void {
  writeConcernOf(uri);
  const level = optionValue(uri, 'readConcernLevel');
  if (level && !READ_CONCERNS.includes(level))
    throw refused('readConcernLevel', level, READ_CONCERNS.join(', '));
  const timeout = optionValue(uri, 'serverSelectionTimeoutMS');
  if (timeout && Number(timeout) === 0) {
    throw refused('serverSelectionTimeoutMS', timeout, 'at least 1: 0 would look for a server for ever');
  }
  const staleness = Number(optionValue(uri, 'maxStalenessSeconds') || LEAST_STALENESS_S);
  if (staleness !== -1 && !(staleness >= LEAST_STALENESS_S)) {
    throw refused('maxStalenessSeconds', String(staleness), `at least ${LEAST_STALENESS_S}`);
  }
}

/**
 * What `w` asks for; undefined where the connection string does not say.
 * @throws SeedError (usage) for one that would have writes not acknowledged
 */
export function writeConcernOf(uri: UriParts): string | number | undefined {
  const text = optionValue(uri, 'w');
  if (!text) return undefined;
  const members = Number(text);
  // A name is that of tags which the set itself defines.
  if (Number.isNaN(members)) return text;
  if (/^\d{1,2}$/.test(text) && members >= 1 && members <= MOST_MEMBERS) return members;
  throw refused(
    'w',
    text,
    `majority, or a number of members from 1 to ${MOST_MEMBERS}`,
    'leave it out: with w=0 nobody would hear what the server refuses',
  );
}

/** The compressors that it names. */
export function compressorsOf(uri: UriParts): readonly string[] {
  const names = optionValue(uri, 'compressors')?.split(',') ?? [];
  return names.map((name) => name.trim()).filter((name) => name !== '' && name !== 'none');
}

/** The first value of an option, decoded. */
function optionValue(uri: UriParts, name: string): string | undefined {
  if (!hasOption(uri, name)) return undefined;
  const pair = uri.query.find((one) => nameOf(one) === name.toLowerCase()) ?? '';
  const value = pair.slice(pair.indexOf('=') + 1).replaceAll('+', ' ');
  return pair.includes('=') ? (percentDecoded(value) ?? value) : undefined;
}

function nameOf(pair: string): string {
  return pair.split('=')[0].toLowerCase();
}

function refused(name: string, value: string, allowed: string, remedy = ''): SeedError {
  const quoted = JSON.stringify(value);
  return usageError(
    `${name}=${/^\S+$/.test(value) ? quoted.slice(1, -1) : quoted} in the connection string: must be ${allowed}`,
    remedy || `change ${name}, or leave it out`,
  );
}
