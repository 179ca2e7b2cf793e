/**
 * Completion scripts for shells, made from the program's own definition. They call nothing: a key
 * press costs no start of the program.
 */
import type { Command, Option } from 'commander';
import { SETTING_NAMES, settingEntry } from '../config/catalog.js';

const SCRIPTS = { bash, zsh, fish };
export type Shell = keyof typeof SCRIPTS;

/** What a shell is told about a flag. */
interface Flag {
  readonly flag: string;
  readonly description: string;
  readonly value:
    | { readonly kind: 'none' }
    /** Known to the user alone. */
    | { readonly kind: 'free' }
    | { readonly kind: 'path' }
    | { readonly kind: 'choice'; readonly values: readonly string[] };
}

interface Completed {
  readonly name: string;
  readonly description: string;
  readonly flags: readonly Flag[];
  /** What may stand behind the command. */
  readonly words: readonly string[];
}

/** The script that teaches a shell the commands, flags and values of the program. */
export function completionScript(program: Command, shell: Shell, topics: readonly string[]): string {
  const names = program.commands.map((command) => command.name());
  const commands = program.commands.map((command): Completed => {
    const choices = command.registeredArguments.flatMap(({ argChoices = [] }) => argChoices);
    const words = command.name() === 'help' ? [...names, ...topics] : choices;
    return { name: command.name(), description: command.description(), flags: flagsOf(command), words };
  });
  const own: Completed = { name: '', description: '', flags: flagsOf(program), words: [] };
  return SCRIPTS[shell](program.name(), own, commands);
}

function flagsOf(command: Command): Flag[] {
  const flags = command.options.map((option) => ({
    flag: option.long ?? option.flags,
    description: option.description,
    value: takenBy(option),
  }));
  return [...flags, { flag: '--help', description: 'print this help', value: { kind: 'none' } }];
}

function takenBy(option: Option): Flag['value'] {
  if (option.isBoolean() || !option.required) return { kind: 'none' };
  const name = SETTING_NAMES.find((one) => settingEntry(one).flag === option.long);
  const values = option.argChoices ?? (name && settingEntry(name).values);
  if (values) return { kind: 'choice', values };
  return { kind: /<(file|folder|path)>/.test(option.flags) ? 'path' : 'free' };
}

/** Values of a flag; of a command alone where others give it other ones. */
interface Choices {
  readonly flag: string;
  readonly command: string | undefined;
  readonly values: readonly string[];
}

/**
 * Flags by what follows them. `choices` with a command are of flags that take other values with
 * another one (`--format`).
 */
function byValue(all: readonly Completed[]) {
  const flags = all.flatMap((one) => one.flags);
  const of = (kind: Flag['value']['kind']) =>
    unique(flags.filter(({ value }) => value.kind === kind).map(({ flag }) => flag));
  const choices = of('choice').flatMap((flag): Choices[] => {
    const taken = all.flatMap(({ name, flags: own }) =>
      own.flatMap((one) =>
        one.flag === flag && one.value.kind === 'choice' ? [{ command: name, values: one.value.values }] : [],
      ),
    );
    const alike = new Set(taken.map(({ values }) => values.join(' '))).size === 1;
    return alike
      ? [{ flag, command: undefined, values: taken[0].values }]
      : taken.map((one) => ({ flag, ...one }));
  });
  return { paths: of('path'), free: of('free'), choices };
}

function unique(texts: readonly string[]): string[] {
  return [...new Set(texts)];
}

function bash(program: string, own: Completed, commands: readonly Completed[]): string {
  const complete = (words: readonly string[]) =>
    `COMPREPLY=($(compgen -W '${words.join(' ')}' -- "$current"))`;
  return posix(own, commands, {
    head: [
      `_${identifier(program)}() {`,
      `  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD - 1]} command= word`,
      `  for word in "\${COMP_WORDS[@]:1:COMP_CWORD - 1}"; do`,
    ],
    complete,
    paths: 'compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$current"))',
    foot: ['}', `complete -F _${identifier(program)} ${program}`],
  });
}

function zsh(program: string, own: Completed, commands: readonly Completed[]): string {
  return posix(own, commands, {
    head: [
      `#compdef ${program}`,
      `_${identifier(program)}() {`,
      `  local current=\${words[CURRENT]} previous=\${words[CURRENT-1]} command= word`,
      `  for word in \${words[2,CURRENT-1]}; do`,
    ],
    complete: (words) => `compadd -- ${words.join(' ')}`,
    paths: '_files',
    foot: ['}', `compdef _${identifier(program)} ${program}`],
  });
}

/** What bash and zsh say differently. */
interface Dialect {
  readonly head: readonly string[];
  readonly complete: (words: readonly string[]) => string;
  readonly paths: string;
  readonly foot: readonly string[];
}

function posix(
  own: Completed,
  commands: readonly Completed[],
  { head, complete, paths, foot }: Dialect,
): string {
  const values = byValue([own, ...commands]);
  const names = commands.map(({ name }) => name);
  const lines = [
    ...head,
    `    case $word in ${names.join('|')}) command=$word; break ;; esac`,
    '  done',
    '  case $command:$previous in',
    ...values.choices.map(
      (one) => `    ${one.command ?? '*'}:${one.flag}) ${complete(one.values)}; return ;;`,
    ),
    `    ${values.paths.map((flag) => `*:${flag}`).join('|')}) ${paths}; return ;;`,
    `    ${values.free.map((flag) => `*:${flag}`).join('|')}) return ;;`,
    '  esac',
    '  case $command in',
    ...commands.map(
      ({ name, flags, words }) => `    ${name}) ${complete([...words, ...flags.map(({ flag }) => flag)])} ;;`,
    ),
    `    *) ${complete([...names, ...own.flags.map(({ flag }) => flag)])} ;;`,
    '  esac',
    ...foot,
  ];
  return `${lines.join('\n')}\n`;
}

function fish(program: string, own: Completed, commands: readonly Completed[]): string {
  const names = commands.map(({ name }) => name).join(' ');
  const line = (condition: string, rest: string) => `complete -c ${program} -n '${condition}' ${rest}`;
  const flag = ({ flag, description, value }: Flag) => {
    const what = {
      none: '',
      free: ' -x',
      path: ' -r -F',
      choice: value.kind === 'choice' ? ` -x -a '${value.values.join(' ')}'` : '',
    }[value.kind];
    return `-l ${flag.slice(2)}${what} -d ${quoted(description)}`;
  };
  const none = `not __fish_seen_subcommand_from ${names}`;
  return `${[
    `complete -c ${program} -f`,
    ...commands.map(({ name, description }) => line(none, `-a ${name} -d ${quoted(description)}`)),
    ...own.flags.map((one) => line(none, flag(one))),
    ...commands.flatMap(({ name, flags, words }) => {
      const seen = `__fish_seen_subcommand_from ${name}`;
      const behind = words.length > 0 ? [line(seen, `-a '${words.join(' ')}'`)] : [];
      return [...behind, ...flags.map((one) => line(seen, flag(one)))];
    }),
  ].join('\n')}\n`;
}

function identifier(name: string): string {
  return name.replace(/\W/g, '_');
}

function quoted(text: string): string {
  return `'${text.replace(/[\\']/g, '\\$&')}'`;
}
