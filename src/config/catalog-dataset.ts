/** Settings of what is made; see `catalog.ts`. */
import type { SettingEntry } from './setting-entry.js';
import { AVAILABILITY_SCALES } from './settings.js';

export const DATASET_SETTINGS = {
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
} as const satisfies Readonly<Record<string, SettingEntry>>;
