/**
 * Every setting of the program: its flag, its variable, its default. The one list that `--help`, `.env.example`,
 * `config` and the validation are made from. Text only; `schema.ts` says what each text may be.
 */
import { CONNECTION_SETTINGS, OUTPUT_SETTINGS } from './catalog-connection.js';
import { DATASET_SETTINGS, LOAD_SETTINGS } from './catalog-dataset.js';

// What the catalog says of a setting.

/** Headings of `--help`, in its order. */
export const GROUPS = [
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
