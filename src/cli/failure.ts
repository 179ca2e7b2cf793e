/** Any failure, as what is shown of it: expected ones as they are, others named unexpected. */
import { CommanderError } from 'commander';
import { maskUris } from '../config/mask.js';
import { ExitStatus, SeedError } from '../errors.js';
import { didYouMean } from '../nearest.js';
import type { Failure } from '../report/types.js';
import { explainSystemError } from '../system-errors.js';
import { withTypedFlags } from './commands.js';

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
 * @param debug adds the stack, but to mistakes on the command line: they have no place in the program
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
