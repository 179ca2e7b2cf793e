/**
 * The commands that the program names to whoever called it: they reach the same database, and hold
 * no secret.
 */
import { CommanderError } from 'commander';
import { type SettingName, settingEntry } from '../config/catalog.js';
import type { LoadSettings, Section, Settings } from '../config/settings.js';
import { maskUris, uriWithoutSecrets } from '../config/uri.js';
import { didYouMean, ExitStatus, SeedError } from '../errors.js';
import { commandAtEnd, PROGRAM, programCall, shellWord } from '../output/shell.js';
import type { CommandHints } from '../output/summary-text.js';
import type { Failure } from '../output/types.js';
import { explainSystemError } from '../system/files.js';

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
  'rate',
  'retrySeconds',
];

let typed: Flags = {};

/**
 * Remembers what was typed: a process has one command line, and failures far from it name commands,
 * too.
 */
export function rememberFlags(flags: Flags): void {
  typed = flags;
}

/**
 * The call of the program, and the flags that make another command of it reach the same database.
 */
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

/**
 * What says which dataset is meant, for a database without its run: all of it, so that no default
 * of another day comes in.
 */
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
    fleet.interval === undefined ? '' : ` --interval ${fleet.interval}`,
    fleet.jitterMs === undefined ? '' : ` --jitter ${fleet.jitterMs}`,
    sections.length === 0 ? ' --assets-only' : only,
    ` --layout ${layout}`,
    availabilityScale === 'percent' ? '' : ` --availability-scale ${availabilityScale}`,
    environment === 'development' && !given.includes('--environment')
      ? ''
      : ` --environment ${shellWord(environment)}`,
  ].join('');
}

/**
 * A remedy whose command is the one that can be given: in the words of the call, for the same
 * database.
 */
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

// Any failure, as what is shown of it: expected ones as they are, others named unexpected.

/** How commander says it, of a flag or of an argument. */
const REFUSED_CHOICE =
  /(?:option '(?<flag>--\S+).*' argument|command-argument value) '(?<value>.*)' is invalid(?: for argument '(?<name>.*)')?\. Allowed choices are (?<choices>.*)\./;

/** The exit status that an error ends the program with. */
export function exitStatusOf(thrown: unknown): ExitStatus {
  const error = explainSystemError(thrown) ?? thrown;
  if (error instanceof SeedError) return error.exitStatus;
  return error instanceof CommanderError ? ExitStatus.usage : ExitStatus.failure;
}

/**
 * @param mask takes secrets out of a text
 * @param debug adds the stack, but to mistakes on the command line: they have no place in the
 *   program
 */
export function failureOf(
  thrown: unknown,
  debug: boolean,
  mask: (text: string) => string = maskUris,
): Failure {
  const error = explainSystemError(thrown) ?? thrown;
  const traced = debug && error instanceof Error && !(error instanceof CommanderError);
  return {
    exitStatus: exitStatusOf(error),
    message: mask(messageOf(error)),
    details: error instanceof SeedError ? error.details.map(mask) : [],
    remedy: withTypedFlags(mask(error instanceof SeedError ? error.remedy : '')),
    trace: traced ? mask((thrown as Error).stack ?? '') : undefined,
  };
}

/** Flags that other programs take a password by; it may stand at once behind the short one. */
const PASSWORD_FLAG = /unknown option '(?<flag>--(?:pass[a-z]*|pwd|pw)\b|-p)/i;

function messageOf(error: unknown): string {
  if (error instanceof SeedError) return error.message;
  if (error instanceof CommanderError) {
    const refused = REFUSED_CHOICE.exec(error.message);
    if (refused) {
      const { flag, name, value, choices } = refused.groups as Record<string, string>;
      const given = `${flag ?? name} ${value}`;
      return `${given}: must be ${choices}${didYouMean(value, choices.split(', '))}`;
    }
    const flag = PASSWORD_FLAG.exec(error.message)?.groups?.flag;
    if (flag !== undefined) {
      const port = flag === '-p' ? '--port names the port, and ' : '';
      return `unknown option '${flag}': ${port}a password comes from MONGODB_PASSWORD, or from the file that MONGODB_PASSWORD_FILE names`;
    }
    // A flag that does not exist may carry what it should not, such as --password=….
    return error.message.replace(/^error: /, '').replace(/(unknown option '--?[^=']+)=.*'/, "$1'");
  }
  return `unexpected error: ${error instanceof Error ? error.message : String(error)}`;
}
