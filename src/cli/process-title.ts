/** What others on the machine see of this process in `ps`. */
import { maskUri } from '../config/mask.js';

/**
 * Takes credentials out of the command line as the system shows it. There is a moment before this runs; a password
 * that must never be seen belongs in MONGODB_PASSWORD.
 */
export function hideCredentials(args: readonly string[]): void {
  // From the scheme on an argument is a connection string, whatever characters its password has.
  const shown = args.map((arg) => arg.replace(/mongodb(?:\+srv)?:\/\/.*$/is, maskUri));
  // Where there is nothing to hide the command line stays as it is.
  if (shown.some((arg, i) => arg !== args[i] && arg.includes('****')))
    process.title = ['seed-database', ...shown].join(' ');
}
