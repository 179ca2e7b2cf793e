/**
 * Every setting of the program: its flag, its variable, its default. The one list that `--help`,
 * `.env.example`, `config` and the validation are made from. Text only; `schema.ts` says what each
 * text may be.
 */

import { DATASET_SETTINGS, LOAD_SETTINGS } from './catalog-dataset.js';
import { LOG_LEVELS } from './settings.js';

// Settings of the way to the server; see `catalog.ts`.

export const CONNECTION_SETTINGS = {
  uri: {
    flag: '--uri',
    argument: '<uri>',
    variable: 'MONGODB_URI',
    group: 'Connection:',
    description: 'connection string; its own parts win over the single settings',
  },
  uriFile: {
    variable: 'MONGODB_URI_FILE',
    group: 'Connection:',
    description: 'file that holds the connection string, such as a secret of a container',
  },
  host: {
    flag: '--host',
    argument: '<host>',
    variable: 'MONGODB_HOST',
    default: 'localhost',
    group: 'Connection:',
    description: 'server, or members of a replica set separated by commas',
  },
  port: {
    flag: '--port',
    argument: '<n>',
    variable: 'MONGODB_PORT',
    default: '27017',
    group: 'Connection:',
    description: 'port of every host that names none',
  },
  database: {
    flag: '--database',
    argument: '<name>',
    variable: 'MONGODB_DATABASE',
    default: 'pmi_infrastructure_dev',
    group: 'Connection:',
    description: 'database to load into',
  },
  username: {
    flag: '--username',
    argument: '<name>',
    variable: 'MONGODB_USERNAME',
    group: 'Connection:',
    description:
      'user; the password comes from MONGODB_PASSWORD or a file, since everyone on a machine sees flags in ps',
  },
  password: {
    variable: 'MONGODB_PASSWORD',
    secret: true,
    group: 'Connection:',
    description: 'password of the user',
  },
  passwordFile: {
    variable: 'MONGODB_PASSWORD_FILE',
    group: 'Connection:',
    description: 'file that holds the password, such as a secret of a container',
  },
  authSource: {
    variable: 'MONGODB_AUTH_SOURCE',
    default: 'admin',
    group: 'Connection:',
    description: 'database that knows the user',
  },
  replicaSet: {
    variable: 'MONGODB_REPLICA_SET',
    group: 'Connection:',
    description: 'name of the replica set',
  },
  sslEnabled: {
    variable: 'MONGODB_SSL_ENABLED',
    default: 'false',
    group: 'Connection:',
    description: 'TLS; a certificate or CA path switches it on as well',
  },
  sslCertPath: {
    variable: 'MONGODB_SSL_CERT_PATH',
    group: 'Connection:',
    description: 'client certificate, PEM; holds the key too unless MONGODB_SSL_KEY_PATH names it',
  },
  sslKeyPath: {
    variable: 'MONGODB_SSL_KEY_PATH',
    group: 'Connection:',
    description: 'key of the client certificate, PEM',
  },
  sslCaPath: {
    variable: 'MONGODB_SSL_CA_PATH',
    group: 'Connection:',
    description: "certificate of the authority that signed the server's, PEM",
  },
  maxPoolSize: {
    variable: 'MONGODB_MAX_POOL_SIZE',
    default: '100',
    group: 'Connection:',
    description: 'most connections of one client',
  },
  minPoolSize: {
    variable: 'MONGODB_MIN_POOL_SIZE',
    default: '0',
    group: 'Connection:',
    description: 'connections kept open',
  },
  maxIdleTimeMs: {
    variable: 'MONGODB_MAX_IDLE_TIME_MS',
    default: '0',
    group: 'Connection:',
    description: 'milliseconds after which an idle connection is closed; 0: never',
  },
  connectTimeoutMs: {
    variable: 'MONGODB_CONNECT_TIMEOUT_MS',
    default: '10000',
    group: 'Connection:',
    description: 'milliseconds to open one connection',
  },
  serverSelectionTimeoutMs: {
    variable: 'MONGODB_SERVER_SELECTION_TIMEOUT_MS',
    default: '10000',
    group: 'Connection:',
    description: 'milliseconds to find a server that can do the work',
  },
  socketTimeoutMs: {
    variable: 'MONGODB_SOCKET_TIMEOUT_MS',
    default: '60000',
    group: 'Connection:',
    description: 'milliseconds of silence after which a connection is given up; 0: never',
  },
  wait: {
    flag: '--wait',
    argument: '<seconds>',
    default: '0',
    group: 'Connection:',
    description: 'how long to wait for a server that is still starting',
  },
  retrySeconds: {
    flag: '--retry-seconds',
    argument: '<n>',
    default: '120',
    group: 'Connection:',
    description: 'how long to go on trying when the server goes away during a load',
  },
  retryWrites: {
    variable: 'MONGODB_RETRY_WRITES',
    default: 'true',
    group: 'Connection:',
    description: 'the driver repeats a write once after a network error',
  },
  retryReads: {
    variable: 'MONGODB_RETRY_READS',
    default: 'true',
    group: 'Connection:',
    description: 'the driver repeats a read once after a network error',
  },
  envFile: {
    flag: '--env-file',
    argument: '<path>',
    group: 'Connection:',
    description: 'file of variables (default: .env in the current folder, where there is one)',
  },
} as const satisfies Readonly<Record<string, SettingEntry>>;

// Settings of what is printed and logged; see `catalog.ts`.

const OUTPUT_SETTINGS = {
  logLevel: {
    flag: '--log-level',
    argument: '<level>',
    values: LOG_LEVELS,
    default: 'info',
    group: 'Output:',
    description: 'debug, info, warning or error',
  },
  logFile: {
    flag: '--log-file',
    argument: '<path>',
    group: 'Output:',
    description: 'log file (default: logs/seed_database_YYYYMMDD_HHMMSS.log)',
  },
  quiet: { flag: '--quiet', group: 'Output:', description: 'errors and the final line only' },
  json: {
    flag: '--json',
    group: 'Output:',
    description: 'one JSON object on standard output, everything else on standard error',
  },
  color: {
    flag: '--no-color',
    switchTo: 'false',
    variable: 'NO_COLOR',
    default: 'true',
    group: 'Output:',
    description: 'no colours; so does a NO_COLOR variable that is not empty',
  },
  ascii: {
    flag: '--ascii',
    group: 'Output:',
    description: 'plain characters only, as where the locale has no UTF-8',
  },
} as const satisfies Readonly<Record<string, SettingEntry>>;

// What the catalog says of a setting.
/** Headings of `--help`, in its order. */
const GROUPS = [
  'Dataset:',
  'Data that is already there:',
  'Storage:',
  'Speed:',
  'Connection:',
  'Output:',
] as const;

export interface SettingEntry {
  /** Spelling on the command line; absent where a setting comes from the environment alone. */
  readonly flag?: string;
  /** Placeholder of the flag's value; a flag without one is a switch. */
  readonly argument?: string;
  /** What a switch sets; `true` unless said otherwise. */
  readonly switchTo?: 'true' | 'false';
  /** All values that a flag of few takes; `schema.ts` refuses others. */
  readonly values?: readonly string[];
  readonly variable?: string;
  /** As the user would write it; absent where the setting is unset unless given. */
  readonly default?: string;
  /** Never printed. */
  readonly secret?: boolean;
  readonly group: (typeof GROUPS)[number];
  readonly description: string;
}

export const CATALOG = {
  ...DATASET_SETTINGS,
  ...LOAD_SETTINGS,
  ...CONNECTION_SETTINGS,
  ...OUTPUT_SETTINGS,
} as const;

export type SettingName = keyof typeof CATALOG;

/** All names, in the order of the catalog. */
export const SETTING_NAMES = Object.keys(CATALOG) as SettingName[];

/** One entry, with the fields that only some entries have. */
export function settingEntry(name: SettingName): SettingEntry {
  return CATALOG[name];
}
