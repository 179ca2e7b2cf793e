/**
 * Connection strings: their parts, as far as this program fills in or reads them (the driver has the
 * last word), and their secrets, which nothing may print, log or store.
 */
import { type SeedError, usageError } from '../errors.js';
import type { Settings } from './settings.js';

export interface UriParts {
  readonly scheme: 'mongodb' | 'mongodb+srv';
  /** Percent-encoded, as written. */
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly hosts: string;
  /** Percent-decoded. */
  readonly database: string | undefined;
  /** `key=value` pairs as written. */
  readonly query: readonly string[];
}

const SHAPE = /^(mongodb(?:\+srv)?):\/\/(?:([^@/?#]*)@)?([^@/?#]+)(?:\/([^@/?#]*))?(?:\?([^@#]*))?$/i;
const ADDRESS = /^(?:\[[^\]]+\]|[^:[\]]+)(?::\d{1,5})?$/;

/** @returns undefined where the text is no connection string. */
export function parseUri(text: string): UriParts | undefined {
  const match = SHAPE.exec(text);
  if (!match || /\s/.test(text)) return undefined;
  const [, scheme, credentials, hosts, database, query] = match;
  const [username, ...password] = credentials?.split(':') ?? [];
  if (credentials !== undefined && !username) return undefined;
  if (!hosts.split(',').every((host) => ADDRESS.test(host))) return undefined;
  // A colon or an @ in a name or password has to be percent-encoded; two colons are no user and
  // password.
  if (password.length > 1) return undefined;
  const decoded = database ? percentDecoded(database) : '';
  if (decoded === undefined) return undefined;
  if ([username, ...password].some((part) => part !== undefined && percentDecoded(part) === undefined))
    return undefined;
  return {
    scheme: scheme.toLowerCase() as UriParts['scheme'],
    username,
    password: password[0] || undefined,
    hosts,
    database: decoded || undefined,
    query: query?.split('&').filter((pair) => pair !== '') ?? [],
  };
}

/** How a password is written in a connection string. */
export const PERCENT_ENCODE =
  'percent-encode the name and the password: % as %25, @ as %40, : as %3A, / as %2F, ? as %3F, # as %23';

/** What a connection string looks like, and what is amiss with a text that is none. */
export function uriForms(text: string): string {
  return `a connection string: mongodb://host:port or mongodb+srv://host; ${wayOut(text)}`;
}

function wayOut(text: string): string {
  const rest = /^\s*mongodb(?:\+srv)?:\/\/(.*)$/is.exec(text)?.[1];
  if (rest === undefined) return 'begin it with mongodb:// or mongodb+srv://';
  if (/\s/.test(text.trim()) && !rest.includes('@'))
    return 'write it without blanks, in quotes for the shell';
  // Without a host after it, what stands where a port should may be a password, too.
  if (rest.includes('@') || !parseUri(`mongodb://${rest.split(/[/?]/)[0]}`)) return PERCENT_ENCODE;
  return 'write options behind a ?, as in mongodb://host:port/?replicaSet=name';
}

/** The connection string of these parts. */
export function formatUri({ scheme, username, password, hosts, database, query }: UriParts): string {
  const credentials =
    username === undefined ? '' : `${username}${password === undefined ? '' : `:${password}`}@`;
  const path = database === undefined && query.length === 0 ? '' : `/${encodeURIComponent(database ?? '')}`;
  const options = query.length === 0 ? '' : `?${query.join('&')}`;
  return `${scheme}://${credentials}${hosts}${path}${options}`;
}

/**
 * True where the connection string says something about an option itself. Names of options ignore
 * case.
 */
export function hasOption({ query }: UriParts, ...names: readonly string[]): boolean {
  const wanted = names.map((name) => name.toLowerCase());
  return query.some((pair) => wanted.includes(pair.split('=')[0].toLowerCase()));
}

/** @returns undefined where the text holds a malformed escape. */
export function percentDecoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

// The host list of a connection.

export interface Host {
  /** As a connection string spells it: IPv6 addresses in brackets, socket paths percent-encoded. */
  readonly name: string;
  /** Undefined: the common port; socket paths have none. */
  readonly port: number | undefined;
  readonly socket: boolean;
}

const NAME = /^[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,252})$/;
const IPV6 = /^[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*$/;

/**
 * Host names, IPv4 and IPv6 addresses and socket paths, separated by commas, each with a port or
 * without.
 */
export function parseHosts(text: string): readonly Host[] | undefined {
  const hosts = text.split(',').map((part) => parseHost(part.trim()));
  return hosts.includes(undefined) ? undefined : (hosts as Host[]);
}

function parseHost(text: string): Host | undefined {
  if (text.startsWith('/')) {
    const usable = text.length <= 108 && !/[\0\s]/.test(text);
    return usable ? { name: encodeURIComponent(text), port: undefined, socket: true } : undefined;
  }
  const bracketed = /^\[([^\]]+)\](?::(\d{1,5}))?$/.exec(text);
  if (bracketed) return IPV6.test(bracketed[1]) ? withPort(`[${bracketed[1]}]`, bracketed[2]) : undefined;
  if (text.split(':').length > 2) return IPV6.test(text) ? withPort(`[${text}]`, undefined) : undefined;
  const [name, port] = text.split(':');
  if (!NAME.test(name) || (port !== undefined && !/^\d{1,5}$/.test(port))) return undefined;
  return withPort(name, port);
}

function withPort(name: string, port: string | undefined): Host | undefined {
  if (port === undefined) return { name, port: undefined, socket: false };
  const number = Number(port);
  return number >= 1 && number <= 65_535 ? { name, port: number, socket: false } : undefined;
}

// Options of a connection string that this program reads itself, or cannot honour. All others the
// driver judges.

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

const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\]|%2F.*)(?::\d+)?$/i;

/**
 * True where every host of the connection string is this machine: a loopback name or address, or a
 * socket path.
 */
export function isLocal(uri: string): boolean {
  const hosts = parseUri(uri)?.hosts.split(',') ?? [];
  return hosts.length > 0 && hosts.every((host) => LOOPBACK.test(host));
}

// Keeps secrets out of everything that is printed, logged or stored.

const MASK = '****';
/** As messages write what goes where. */
const PLACEHOLDER = /^host:port\/?$/;
/** Options of a connection string whose values are secrets. */
const SECRET_OPTION = /pass|token|secret|^authmechanismproperties$/i;
/** Without quotes and punctuation around it; a password may hold an apostrophe. */
const ANY_URI = /mongodb(?:\+srv)?:\/\/(?:[^\s"`<>@/]*@)?[^\s"'`<>]*[^\s"'`<>:;,.)]/gi;
/** A shorter "secret" would blank out half of any text, and protects nothing. */
const MIN_SECRET_LENGTH = 3;

/**
 * A connection string without its password and other secrets. Works on any text: where it is not a
 * well-formed connection string, everything before the last `@` is taken for credentials.
 */
export function maskUri(uri: string): string {
  const parts = parseUri(uri);
  if (parts) {
    const password = parts.password === undefined ? undefined : MASK;
    return formatUri({ ...parts, password, query: parts.query.map(maskOption) });
  }
  const start = uri.indexOf('://') === -1 ? 0 : uri.indexOf('://') + 3;
  const at = uri.lastIndexOf('@');
  const credentials = at < start ? '' : `${MASK}@`;
  const [address, ...options] = uri.slice(Math.max(at + 1, start)).split(/(?=[?&])/);
  // What stands where a port should may be a password whose host was forgotten.
  const shown = PLACEHOLDER.test(address)
    ? address
    : address.replace(/:(?!\d{1,5}(?:[,/]|$))[^,/\]]*/g, `:${MASK}`);
  const rest = options.map((option) => option[0] + maskOption(option.slice(1)));
  return [uri.slice(0, start), credentials, shown, ...rest].join('');
}

/**
 * A connection string that may stand in a command. `left` says what it then lacks: `password` can
 * be given in a variable of its own; with other secrets the whole string has to be, and `uri` is
 * undefined.
 */
export function uriWithoutSecrets(uri: string): {
  readonly uri: string | undefined;
  readonly left: 'nothing' | 'password' | 'all';
} {
  const parts = parseUri(uri);
  if (!parts || parts.query.some((pair) => maskOption(pair) !== pair)) return { uri: undefined, left: 'all' };
  const left = parts.password === undefined ? 'nothing' : 'password';
  return { uri: formatUri({ ...parts, password: undefined }), left };
}

function maskOption(pair: string): string {
  const [name] = pair.split('=');
  return SECRET_OPTION.test(percentDecoded(name) ?? name) ? `${name}=${MASK}` : pair;
}

/** A text whose connection strings are masked; a password that stands alone in it stays. */
export function maskUris(text: string): string {
  return text.replace(ANY_URI, maskUri);
}

/**
 * A text without the password of these settings, wherever and in whatever spelling it stands in it.
 */
export function maskSecrets(text: string, settings: Pick<Settings, 'connection'>): string {
  let masked = maskUris(text);
  for (const secret of secretsOf(settings)) masked = masked.replaceAll(secret, MASK);
  return masked;
}

/** Longest first, so that no secret is cut by one that it contains. */
function secretsOf({ connection }: Pick<Settings, 'connection'>): readonly string[] {
  const found = new Set<string>();
  const add = (secret: string | undefined) => {
    if (!secret) return;
    const decoded = percentDecoded(secret) ?? secret;
    const quoted = JSON.stringify(decoded).slice(1, -1);
    for (const spelling of [secret, decoded, encodeURIComponent(decoded), quoted]) found.add(spelling);
  };
  const parts = parseUri(connection.uri);
  add(parts?.password);
  for (const pair of parts?.query ?? []) {
    const [name, ...value] = pair.split('=');
    if (SECRET_OPTION.test(name)) add(value.join('='));
  }
  if (typeof connection.options.key === 'string') add(connection.options.key);
  return [...found]
    .filter((secret) => secret.length >= MIN_SECRET_LENGTH)
    .sort((a, b) => b.length - a.length);
}
