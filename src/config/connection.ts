/** From the single settings to one connection string and the driver's options. */
import { readFileSync } from 'node:fs';
import { usageError } from '../errors.js';
import { refuseUnlessRereadable, UnusableFile } from '../system/files.js';
import type { SettingName } from './catalog.js';
import { usesUri } from './configuration.js';
import { VALUES, type Values } from './schema.js';
import type { ConnectionSettings } from './settings.js';
import { type Candidates, describeCandidate, Rank, rankOf } from './sources.js';
import {
  formatUri,
  type Host,
  hasOption,
  inCurrentSpelling,
  percentDecoded,
  refuseOptions,
  type UriParts,
} from './uri.js';

/** A file of all the authorities in the world has some hundred kilobytes. */
const MOST_TLS_BYTES = 16 * 1024 * 1024;

/** Options of a connection string that name files. */
const FILE_OPTIONS = /^(tls(?:CAFile|CertificateKeyFile|CRLFile))=(.*)$/i;

/**
 * Any of these means that the user has a server in mind, which must not be replaced by another one
 * silently.
 */
const NAMES_A_SERVER: readonly SettingName[] = ['uri', 'host', 'port', 'username', 'replicaSet', 'wait'];

/**
 * The connection. A connection string's own parts win over the single settings, which fill in what
 * it leaves out; but a host or port from a stronger source (a flag against a variable) replaces the
 * whole string.
 * @throws SeedError (usage) for credentials that lack a half, and for files that cannot be read
 */
export function connectionSettings(
  values: Values,
  candidates: Candidates,
  notices: readonly string[],
): ConnectionSettings {
  const given = usesUri(candidates) && values.uri ? inCurrentSpelling(values.uri) : undefined;
  if (given) refuseOptions(given);
  const tls = usesTls(values, candidates, given);
  const base: UriParts = given ?? {
    scheme: 'mongodb',
    username: undefined,
    password: undefined,
    hosts: values.host.map((host) => hostAddress(host, values.port)).join(','),
    database: values.database,
    query: [],
  };
  for (const pair of base.query) {
    const [, option, path] = FILE_OPTIONS.exec(pair) ?? [];
    if (option !== undefined)
      refuseUnreadable(`${option} of the connection string`, percentDecoded(path) ?? path);
  }
  const withUser = { ...base, ...credentials(base, values) };
  const query = [...base.query];
  const fill = (option: string, value: string | undefined) => {
    if (value !== undefined && !hasOption(base, option)) query.push(`${option}=${encodeURIComponent(value)}`);
  };
  fill('authSource', authSource(withUser, values, candidates));
  fill('replicaSet', values.replicaSet);
  if (!hasOption(base, 'ssl')) fill('tls', tls ? 'true' : undefined);
  return {
    origin: NAMES_A_SERVER.some((name) => isGiven(candidates, name)) || tls ? 'named' : 'default',
    uri: formatUri({ ...withUser, query }),
    database: databaseName(values, candidates, given),
    options: {
      ...driverOptions(values, candidates, base),
      ...(values.compressors ? { compressors: values.compressors } : {}),
      ...(tls ? tlsFiles(values, candidates) : {}),
    },
    opening: {
      waitMs: values.wait * 1000,
      patient: isGiven(candidates, 'serverSelectionTimeoutMs') || hasOption(base, 'serverSelectionTimeoutMS'),
      passwordInUri: base.password !== undefined,
      notices,
    },
  };
}

function isGiven(candidates: Candidates, name: SettingName): boolean {
  return rankOf(candidates, name) > Rank.default;
}

function hostAddress(host: Host, commonPort: number): string {
  return host.socket ? host.name : `${host.name}:${host.port ?? commonPort}`;
}

/** A database named as strongly as the connection string wins over the one inside it. */
function databaseName(values: Values, candidates: Candidates, uri: UriParts | undefined): string {
  if (uri?.database === undefined) return values.database;
  const named = isGiven(candidates, 'database');
  if (named && rankOf(candidates, 'database') >= rankOf(candidates, 'uri')) return values.database;
  const judged = VALUES.shape.database.safeParse(uri.database);
  if (judged.success) return judged.data;
  throw usageError(
    `the database in the connection string, ${JSON.stringify(uri.database)}, must be ${judged.error.issues[0].message}`,
    'name the database to load with --database, and the one that knows the user with ?authSource=',
  );
}

function credentials(base: UriParts, values: Values): Pick<UriParts, 'username' | 'password'> {
  const username = base.username ?? encoded(values.username);
  const password = base.password ?? encoded(values.password);
  if (hasOption(base, 'authMechanism')) {
    // Some mechanisms know no password, some no user: what is written counts, and the driver judges
    // it.
    return { username, password: username === undefined ? undefined : password };
  }
  if (username === undefined && password !== undefined) {
    throw usageError(
      'MONGODB_PASSWORD is set without MONGODB_USERNAME: a password needs its user',
      'name the user with --username or MONGODB_USERNAME',
    );
  }
  if (username !== undefined && password === undefined) {
    throw usageError(
      'a user is named without a password: neither MONGODB_PASSWORD nor MONGODB_PASSWORD_FILE is set',
      'set one of them in the environment or .env',
    );
  }
  return { username, password };
}

function encoded(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  try {
    return encodeURIComponent(text);
  } catch {
    throw usageError('MONGODB_USERNAME or MONGODB_PASSWORD is not well-formed Unicode');
  }
}

/** A connection string with a database authenticates there unless it is told otherwise. */
function authSource(base: UriParts, values: Values, candidates: Candidates): string | undefined {
  if (base.username === undefined) return undefined;
  if (isGiven(candidates, 'authSource') || !usesUri(candidates)) return values.authSource;
  return undefined;
}

/** Naming a certificate asks for TLS: connecting without it would be the surprise. */
function usesTls(values: Values, candidates: Candidates, uri: UriParts | undefined): boolean {
  if (uri && hasOption(uri, 'tls', 'ssl')) return uri.query.some((pair) => /^(?:tls|ssl)=true$/i.test(pair));
  if (isGiven(candidates, 'sslEnabled')) return values.sslEnabled;
  const named = values.sslCertPath ?? values.sslKeyPath ?? values.sslCaPath;
  return named !== undefined || uri?.scheme === 'mongodb+srv';
}

function tlsFiles(values: Values, candidates: Candidates): Record<string, string> {
  const { sslCertPath, sslKeyPath, sslCaPath } = values;
  const files: Record<string, string> = {};
  if (sslCaPath !== undefined) files.tlsCAFile = readable('sslCaPath', sslCaPath, candidates);
  if (sslKeyPath !== undefined) {
    if (sslCertPath === undefined) {
      throw usageError(
        'MONGODB_SSL_KEY_PATH is set without MONGODB_SSL_CERT_PATH: a key needs its certificate',
      );
    }
    // The driver reads certificate and key from one file; from two it takes their contents.
    files.cert = readFileSync(readable('sslCertPath', sslCertPath, candidates), 'utf8');
    files.key = readFileSync(readable('sslKeyPath', sslKeyPath, candidates), 'utf8');
  } else if (sslCertPath !== undefined) {
    files.tlsCertificateKeyFile = readable('sslCertPath', sslCertPath, candidates);
  }
  return files;
}

/** The path, for the driver, which reads the file in every thread. */
function readable(name: SettingName, path: string, candidates: Candidates): string {
  const candidate = candidates[name];
  refuseUnreadable(candidate ? describeCandidate(name, candidate) : path, path);
  return path;
}

function refuseUnreadable(label: string, path: string): void {
  try {
    refuseUnlessRereadable(path, MOST_TLS_BYTES);
  } catch (error) {
    if (!(error instanceof UnusableFile)) throw error;
    throw usageError(`${label}: must be a file that can be read (${error.code ?? error.message})`);
  }
}

/**
 * The driver's names of the options that are plain values, and the spellings that a connection
 * string may use.
 */
const DRIVER_OPTIONS = {
  maxPoolSize: 'maxPoolSize',
  minPoolSize: 'minPoolSize',
  maxIdleTimeMs: 'maxIdleTimeMS',
  connectTimeoutMs: 'connectTimeoutMS',
  serverSelectionTimeoutMs: 'serverSelectionTimeoutMS',
  socketTimeoutMs: 'socketTimeoutMS',
  retryWrites: 'retryWrites',
  retryReads: 'retryReads',
} as const satisfies Partial<Record<SettingName, string>>;

/**
 * Options override the connection string in the driver, so what the string says itself is left out.
 */
function driverOptions(
  values: Values,
  candidates: Candidates,
  uri: UriParts,
): Record<string, string | number | boolean> {
  const options: Record<string, string | number | boolean> = {};
  for (const [name, option] of Object.entries(DRIVER_OPTIONS) as [keyof typeof DRIVER_OPTIONS, string][]) {
    if (!hasOption(uri, option) && candidates[name]) options[option] = values[name];
  }
  return options;
}
