/** Commands that can be pasted into a shell as they are. Pure. */
import { oneLine } from './width.js';

/** As it is called where it is installed. */
export const PROGRAM = 'seed-database';

/** How package managers run a script of this package, with flags of the script's own behind it. */
const SCRIPT_RUNNERS: readonly (readonly [agent: RegExp, call: string])[] = [
  [/^pnpm\//, 'pnpm run seed'],
  [/^yarn\//, 'yarn run seed'],
  [/^bun\//, 'bun run seed'],
  [/./, 'npm run seed --'],
];

/** How the program was called, for commands that whoever called it may give next. */
export function programCall(environment: Readonly<Record<string, string | undefined>>): string {
  const { npm_lifecycle_event: event, npm_package_name: name, npm_command: command } = environment;
  const agent = environment.npm_config_user_agent ?? '';
  // The script of this package, not one of somebody's that has the same name.
  if (event === 'seed' && name === PROGRAM) {
    return SCRIPT_RUNNERS.find(([pattern]) => pattern.test(agent))?.[1] ?? 'npm run seed --';
  }
  return command === 'exec' && event === 'npx' ? `npx ${PROGRAM}` : PROGRAM;
}

/**
 * A word of a command line, quoted where a shell would change it, or where one line that is shown
 * would. Control codes and blanks that are not simple are written as the escapes of bash and zsh.
 */
export function shellWord(text: string): string {
  if (/^[\w.,:/@%+-][\w.,:/=@%+-]*$/.test(text)) return text;
  if (oneLine(`|${text}|`) === `|${text}|`) return `'${text.replaceAll("'", String.raw`'\''`)}'`;
  const escaped = Array.from(text, (character) => {
    if (character === "'" || character === '\\') return `\\${character}`;
    if (oneLine(`|${character}|`) === `|${character}|` && character !== ' ') return character;
    // By bytes: other escapes depend on the shell's locale.
    return Array.from(Buffer.from(character), (byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('');
  });
  return `$'${escaped.join('')}'`;
}

/**
 * A masked connection string without what is masked: a program that is given it asks for the
 * password.
 */
export function withoutMasked(uri: string): string {
  const [address, query] = uri.replace(/:\*{4}@/, '@').split('?');
  const options = query?.split('&').filter((option) => !option.endsWith('=****')) ?? [];
  return options.length > 0 ? `${address}?${options.join('&')}` : address;
}

const COMMAND_AT_END = new RegExp(`: (?=(?:${PROGRAM}|npm run|npx|pnpm run|yarn run|bun run) [^"]*$)`);

/**
 * A text that ends with a command, in two: what leads to the command, and the command. Undefined
 * where it ends otherwise. A command is shown in one piece, since what is broken into lines cannot
 * be pasted.
 */
export function commandAtEnd(text: string): readonly [lead: string, command: string] | undefined {
  const found = COMMAND_AT_END.exec(text);
  if (!found) return undefined;
  const at = found.index + found[0].length;
  return [text.slice(0, at - 1), text.slice(at)];
}
