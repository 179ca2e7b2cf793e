/**
 * Every setting of the program: its flag, its variable, its default. The one list that `--help`, `.env.example`,
 * `config` and the validation are made from. Text only; `schema.ts` says what each text may be.
 */

import type { SettingEntry } from './setting-entry.js';
import { AVAILABILITY_SCALES, COMPRESSORS, LAYOUTS, LOG_LEVELS, WRITERS } from './settings.js';

export { GROUPS, type SettingEntry } from './setting-entry.js';

export const CATALOG = {
  days: {
    flag: '--days',
    argument: '<n>',
    default: '14',
    group: 'Dataset:',
    description: 'days of data to generate',
  },
  seed: {
    flag: '--seed',
    argument: '<n>',
    group: 'Dataset:',
    description:
      'seed of the dataset: the same seed and period give the same data (default: drawn, and printed)',
  },
  start: {
    flag: '--start',
    argument: '<instant>',
    group: 'Dataset:',
    description: 'first minute, such as 2025-02-01 or 2025-02-01T08:00Z',
  },
  end: {
    flag: '--end',
    argument: '<instant>',
    group: 'Dataset:',
    description: 'first minute after the data (default: now; with --seed, 00:00 UTC of today)',
  },
  fleet: {
    flag: '--fleet',
    argument: '<file>',
    group: 'Dataset:',
    description: 'fleet to load, a YAML or JSON file (default: the one that "seed-database fleet" prints)',
  },
  scale: {
    flag: '--scale',
    argument: '<n>',
    default: '1',
    group: 'Dataset:',
    description: 'so many sites, each with all assets of the fleet',
  },
  timezone: {
    flag: '--timezone',
    argument: '<zone>',
    group: 'Dataset:',
    description: "where office hours are meant, such as Europe/Rome (default: the fleet file's, or UTC)",
  },
  assetsOnly: { flag: '--assets-only', group: 'Dataset:', description: 'write the assets and no records' },
  metricsOnly: {
    flag: '--metrics-only',
    group: 'Dataset:',
    description: 'load the performance metrics; combines with --polling-only and --backup-only',
  },
  pollingOnly: { flag: '--polling-only', group: 'Dataset:', description: 'load the polling history' },
  backupOnly: { flag: '--backup-only', group: 'Dataset:', description: 'load the backup history' },
  environment: {
    flag: '--environment',
    argument: '<name>',
    variable: 'ENVIRONMENT',
    default: 'development',
    group: 'Dataset:',
    description: 'tag of every record; in "production" --clean asks first',
  },
  availabilityScale: {
    flag: '--availability-scale',
    argument: '<scale>',
    values: AVAILABILITY_SCALES,
    default: 'percent',
    group: 'Dataset:',
    description: 'availability_status as percent (100, 50, 0) or unit (1, 0.5, 0)',
  },
  dryRun: {
    flag: '--dry-run',
    group: 'Dataset:',
    description: 'print the plan, its exact counts and the estimated size; connect to nothing',
  },
  clean: {
    flag: '--clean',
    group: 'Data that is already there:',
    description: "remove this program's collections first",
  },
  resume: {
    flag: '--resume',
    group: 'Data that is already there:',
    description: 'finish an interrupted run; period and seed come from that run',
  },
  skipCleanup: {
    flag: '--skip-cleanup',
    group: 'Data that is already there:',
    description: 'keep what is there and add to it',
  },
  yes: { flag: '--yes', group: 'Data that is already there:', description: 'answer yes to every question' },
  layout: {
    flag: '--layout',
    argument: '<layout>',
    values: LAYOUTS,
    default: 'flat',
    group: 'Storage:',
    description: 'flat: one document a record; timeseries: a time-series collection',
  },
  clustered: {
    flag: '--no-clustered',
    switchTo: 'false',
    default: 'true',
    group: 'Storage:',
    description: 'flat layout: keep an ordinary _id index instead of a clustered collection',
  },
  ttlDays: {
    flag: '--ttl-days',
    argument: '<n>',
    group: 'Storage:',
    description: 'time-series layout: the server removes records older than this',
  },
  writeConcern: {
    flag: '--write-concern',
    argument: '<w>',
    group: 'Storage:',
    description: '"majority" or a number of members (default: the server\'s)',
  },
  shard: {
    flag: '--shard',
    group: 'Storage:',
    description: 'sharded cluster: shard metrics and spread its chunks before loading',
  },
  parts: {
    flag: '--parts',
    argument: '<n>',
    group: 'Speed:',
    description: 'share one run among so many loaders; needs --part and, unless it resumes, --seed',
  },
  part: {
    flag: '--part',
    argument: '<n>',
    group: 'Speed:',
    description: 'which of the parts this loader loads, from 1 to --parts',
  },
  batchSize: {
    flag: '--batch-size',
    argument: '<n>',
    default: '1000',
    group: 'Speed:',
    description: 'records in one insert command',
  },
  workers: {
    flag: '--workers',
    argument: '<n>',
    group: 'Speed:',
    description:
      'worker threads (default: the cores available, half of them where the server runs on this machine)',
  },
  shardDays: {
    flag: '--shard-days',
    argument: '<n>',
    group: 'Speed:',
    description: 'days of one asset that are loaded and checkpointed as one piece',
  },
  writer: {
    flag: '--writer',
    argument: '<writer>',
    values: WRITERS,
    default: 'sequence',
    group: 'Speed:',
    description: "sequence: encoded batches; bulkwrite: the driver's own; none: generate only, to measure",
  },
  compressors: {
    flag: '--compressors',
    argument: '<list>',
    values: COMPRESSORS,
    group: 'Speed:',
    description: 'compression to offer the server, such as zlib',
  },
  uri: {
    flag: '--uri',
    argument: '<uri>',
    variable: 'MONGODB_URI',
    group: 'Connection:',
    description: 'connection string; its own parts win over the single settings',
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
      'user; the password comes from MONGODB_PASSWORD only, since everyone on a machine sees flags in ps',
  },
  password: {
    variable: 'MONGODB_PASSWORD',
    secret: true,
    group: 'Connection:',
    description: 'password of the user',
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
} as const satisfies Readonly<Record<string, SettingEntry>>;

export type SettingName = keyof typeof CATALOG;

/** All names, in the order of the catalog. */
export const SETTING_NAMES = Object.keys(CATALOG) as SettingName[];

/** One entry, with the fields that only some entries have. */
export function settingEntry(name: SettingName): SettingEntry {
  return CATALOG[name];
}
