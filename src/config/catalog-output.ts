/** Settings of what is printed and logged; see `catalog.ts`. */
import type { SettingEntry } from './setting-entry.js';
import { LOG_LEVELS } from './settings.js';

export const OUTPUT_SETTINGS = {
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
