/**
 * Every setting of the program: its flag, its variable, its default. The one list that `--help`, `.env.example`,
 * `config` and the validation are made from. Text only; `schema.ts` says what each text may be.
 */

import { CONNECTION_SETTINGS } from './catalog-connection.js';
import { DATASET_SETTINGS } from './catalog-dataset.js';
import { LOAD_SETTINGS } from './catalog-load.js';
import { OUTPUT_SETTINGS } from './catalog-output.js';
import type { SettingEntry } from './setting-entry.js';

export { GROUPS, type SettingEntry } from './setting-entry.js';

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
