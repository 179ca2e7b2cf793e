/** The commands that the program names to whoever called it: they reach the same database, and hold no secret. */
import { type SettingName, settingEntry } from '../config/catalog.js';
import { uriWithoutSecrets } from '../config/mask.js';
import type { LoadSettings, Section, Settings } from '../config/settings.js';
import type { CommandHints } from '../report/ending.js';
import { commandAtEnd, PROGRAM, programCall, shellWord } from '../report/shell.js';

type Flags = Partial<Record<SettingName, string>>;

/** Flags that say which database is meant. */
const CONNECTION_FLAGS: readonly SettingName[] = ['uri', 'host', 'port', 'database', 'username', 'envFile'];
/** Flags of a load that are not stored with its run. */
const MANNER_FLAGS: readonly SettingName[] = [
  'clustered',
  'ttlDays',
  'writeConcern',
  'shard',
  'writer',
  'compressors',
  'workers',
  'batchSize',
  'retrySeconds',
];

let typed: Flags = {};

/** Remembers what was typed: a process has one command line, and failures far from it name commands, too. */
export function rememberFlags(flags: Flags): void {
  typed = flags;
}

/** The call of the program, and the flags that make another command of it reach the same database. */
export function commandHints(flags: Flags, settings?: Settings): CommandHints {
  const uri = flags.uri === undefined ? undefined : uriWithoutSecrets(flags.uri);
  const shown: Flags = { ...flags, uri: uri?.uri };
  const missing =
    uri && { nothing: '', password: 'the password in MONGODB_PASSWORD', all: 'MONGODB_URI' }[uri.left];
  return {
    program: programCall(process.env),
    connectionFlags: flagText(shown, CONNECTION_FLAGS),
    beside: missing
      ? ` (${missing === 'MONGODB_URI' ? 'with the connection string in MONGODB_URI' : `with ${missing}`})`
      : '',
    mongoshFlags: mongoshFlags(settings),
  };
}

/** What `--resume` needs besides the connection: which part, and in which manner. */
export function resumeFlags(flags: Flags, { part }: Pick<LoadSettings, 'part'>): string {
  const which = part ? ` --parts ${part.of} --part ${part.number}` : '';
  // Records expire in one layout alone, so the one flag needs the other.
  const layout = flags.ttlDays === undefined ? [] : (['layout'] as const);
  return which + flagText(flags, [...MANNER_FLAGS, ...layout]);
}

/** Flags as a shell takes them, each with a blank before it. */
export function flagText(flags: Flags, names: readonly SettingName[]): string {
  return names
    .map((name) => {
      const text = flags[name];
      const { flag, argument } = settingEntry(name);
      if (text === undefined || flag === undefined) return '';
      return argument === undefined ? ` ${flag}` : ` ${flag} ${shellWord(text)}`;
    })
    .join('');
}

/** What says which dataset is meant, for a database without its run: all of it, so that no default of another day comes in. */
export function datasetFlags(
  { fleet, sections, layout, availabilityScale, environment, given }: LoadSettings,
  seed: number,
  window: { readonly start: Date; readonly end: Date },
): string {
  const instant = (date: Date) => date.toISOString().replace(/:00\.000Z$/, 'Z');
  const onlyFlags: Readonly<Record<Section, string>> = {
    metrics: ' --metrics-only',
    polling: ' --polling-only',
    backup: ' --backup-only',
  };
  const only = sections.length < 3 ? sections.map((section) => onlyFlags[section]).join('') : '';
  return [
    ` --seed ${seed} --start ${instant(window.start)} --end ${instant(window.end)}`,
    typeof fleet.source === 'string' ? ` --fleet ${shellWord(fleet.source)}` : '',
    fleet.scale === 1 ? '' : ` --scale ${fleet.scale}`,
    fleet.timezone === undefined ? '' : ` --timezone ${shellWord(fleet.timezone)}`,
    sections.length === 0 ? ' --assets-only' : only,
    ` --layout ${layout}`,
    availabilityScale === 'percent' ? '' : ` --availability-scale ${availabilityScale}`,
    environment === 'development' && !given.includes('--environment')
      ? ''
      : ` --environment ${shellWord(environment)}`,
  ].join('');
}

/** A remedy whose command is the one that can be given: in the words of the call, for the same database. */
export function withTypedFlags(remedy: string): string {
  if (!remedy.includes(PROGRAM)) return remedy;
  const { program, connectionFlags, beside } = commandHints(typed);
  const [lead, command] = commandAtEnd(remedy) ?? [remedy, ''];
  const called = (text: string) => text.replaceAll(new RegExp(`\\b${PROGRAM}(?= [a-z-])`, 'g'), program);
  return command === ''
    ? called(lead)
    : `${called(lead.slice(0, -1))}${beside}: ${called(command)}${connectionFlags}`;
}

/** The shell reads files of certificates that no connection string names. */
function mongoshFlags(settings: Settings | undefined): string {
  return ['tlsCAFile', 'tlsCertificateKeyFile']
    .map((name) => {
      const file = settings?.connection.options[name];
      return typeof file === 'string' ? ` --${name} ${shellWord(file)}` : '';
    })
    .join('');
}
