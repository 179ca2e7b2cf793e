/** Settings of how it is loaded; see `catalog.ts`. */
import type { SettingEntry } from './setting-entry.js';
import { COMPRESSORS, LAYOUTS, WRITERS } from './settings.js';

export const LOAD_SETTINGS = {
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
} as const satisfies Readonly<Record<string, SettingEntry>>;
