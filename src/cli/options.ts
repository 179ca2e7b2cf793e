/** Command-line options, made from the catalog of settings. */
import { type Command, Option } from 'commander';
import { CATALOG, SETTING_NAMES, type SettingName, settingEntry } from '../config/catalog.js';
import { rememberFlags } from './commands.js';

/** Settings that have a flag. */
export const FLAG_SETTINGS: readonly SettingName[] = SETTING_NAMES.filter((name) => 'flag' in CATALOG[name]);

/** What says which assets there are. */
const FLEET_SETTINGS: readonly SettingName[] = ['fleet', 'scale', 'timezone', 'interval', 'jitter'];

/** What a command that only reads a database needs. */
export const CONNECTION_SETTINGS: readonly SettingName[] = [
  'uri',
  'host',
  'port',
  'database',
  'username',
  'wait',
  'envFile',
  'logLevel',
  'json',
  'color',
  'ascii',
];

/** Those of the variables that a command which connects to nothing has no use for. */
export const OF_CONNECTIONS: readonly SettingName[] = SETTING_NAMES.filter(
  (name) => settingEntry(name).group === 'Connection:' && name !== 'envFile',
);

/** What `doctor` needs besides: what is going to be loaded. */
export const DOCTOR_SETTINGS: readonly SettingName[] = [
  'days',
  'seed',
  'start',
  'end',
  ...FLEET_SETTINGS,
  'assetsOnly',
  'metricsOnly',
  'pollingOnly',
  'backupOnly',
  'events',
  'layout',
  'ttlDays',
  'writeConcern',
  'workers',
  ...CONNECTION_SETTINGS,
];

/** What `verify` needs besides: which dataset, and how to go about it. */
export const VERIFY_SETTINGS: readonly SettingName[] = [
  'days',
  'seed',
  'start',
  'end',
  ...FLEET_SETTINGS,
  'assetsOnly',
  'metricsOnly',
  'pollingOnly',
  'backupOnly',
  'environment',
  'availabilityScale',
  'layout',
  'yes',
  'workers',
  'retrySeconds',
  'quiet',
  ...CONNECTION_SETTINGS,
];

/** What `answers` needs: which dataset, or which database to take the newest run's from. */
export const ANSWERS_SETTINGS: readonly SettingName[] = [
  'days',
  'seed',
  'start',
  'end',
  ...FLEET_SETTINGS,
  'metricsOnly',
  'pollingOnly',
  'backupOnly',
  'availabilityScale',
  ...CONNECTION_SETTINGS.filter((name) => name !== 'json'),
];

/** What `preview` needs: which dataset, and how to show it. */
export const PREVIEW_SETTINGS: readonly SettingName[] = [
  'days',
  'seed',
  'start',
  'end',
  ...FLEET_SETTINGS,
  'envFile',
  'logLevel',
  'json',
  'color',
  'ascii',
];

/** What `report` needs: which database, and which period of it. */
export const REPORT_SETTINGS: readonly SettingName[] = ['days', 'start', 'end', ...CONNECTION_SETTINGS];

/**
 * What `refresh` and `follow` need: which database, up to when, and how to load; the stored run
 * says the rest.
 */
export const REFRESH_SETTINGS: readonly SettingName[] = [
  'end',
  'workers',
  'batchSize',
  'rate',
  'writer',
  'writeConcern',
  'compressors',
  'retrySeconds',
  'quiet',
  'logFile',
  ...CONNECTION_SETTINGS,
];

/** What `export` takes of a load's flags. */
export const EXPORT_SETTINGS: readonly SettingName[] = [
  'days',
  'seed',
  'start',
  'end',
  ...FLEET_SETTINGS,
  'assetsOnly',
  'metricsOnly',
  'pollingOnly',
  'backupOnly',
  'environment',
  'availabilityScale',
  'layout',
  'clustered',
  'workers',
  'batchSize',
  'shardDays',
  'clean',
  'yes',
  'database',
  'quiet',
  'envFile',
  'logLevel',
  'json',
  'color',
  'ascii',
];

/**
 * Declares the flags of these settings on a command. Their texts are judged by the configuration,
 * not here.
 */
export function addSettingOptions(command: Command, names: readonly SettingName[]): Command {
  for (const name of names) {
    const { flag, argument, default: text, description, group, switchTo } = settingEntry(name);
    if (flag === undefined) continue;
    const shown =
      text === undefined || switchTo === 'false' ? description : `${description} (default: ${text})`;
    const option = new Option(argument === undefined ? flag : `${flag} ${argument}`, shown);
    command.addOption(option.helpGroup(group));
  }
  return command;
}

/**
 * The texts of the flags that were given to a command, or to the program in front of the command;
 * where both name one, the nearer counts.
 * @throws CommanderError for a flag in front of a command that does not know it
 */
export function givenFlags(command: Command): Partial<Record<SettingName, string>> {
  const flags: Partial<Record<SettingName, string>> = {};
  for (const level of command.parent ? [command.parent, command] : [command]) {
    for (const name of FLAG_SETTINGS) {
      if (level.getOptionValueSource(name) !== 'cli') continue;
      // Of the terminal rather than of a command: it is heeded before there is one.
      if (name === 'ascii') continue;
      if (!command.options.some((option) => option.attributeName() === name)) {
        command.error(`${settingEntry(name).flag} has no meaning for the command ${command.name()}`);
      }
      flags[name] = String(level.getOptionValue(name));
    }
  }
  rememberFlags(flags);
  return flags;
}
