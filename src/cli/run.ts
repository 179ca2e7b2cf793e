/** Runs a command line and says how it ended. Every failure leaves here as one line and an exit status. */
import { CommanderError } from 'commander';
import { maskUris } from '../config/mask.js';
import { ExitStatus, SeedError } from '../errors.js';
import { buildProgram } from './program.js';

/** @returns the exit status. Prints failures on standard error; never throws. */
export async function run(args: readonly string[]): Promise<ExitStatus> {
  ignoreClosedStreams();
  const debug = wantsStacks(args);
  process.on('uncaughtException', (error) => {
    printFailure(error, debug);
    process.exit(ExitStatus.failure);
  });
  let status: ExitStatus = ExitStatus.done;
  try {
    const program = buildProgram((ended) => {
      status = ended;
    });
    await program.parseAsync(args, { from: 'user' });
  } catch (error) {
    // Help and version leave commander as an error with status 0.
    if (error instanceof CommanderError && error.exitCode === 0) return ExitStatus.done;
    printFailure(error, debug);
    return exitStatusOf(error);
  }
  return status;
}

/** The exit status that an error ends the program with. */
export function exitStatusOf(error: unknown): ExitStatus {
  if (error instanceof SeedError) return error.exitStatus;
  return error instanceof CommanderError ? ExitStatus.usage : ExitStatus.failure;
}

function printFailure(error: unknown, debug: boolean): void {
  for (const line of failureLines(error)) process.stderr.write(`${maskUris(line)}\n`);
  if (debug && error instanceof Error && !(error instanceof CommanderError)) {
    process.stderr.write(`${maskUris(error.stack ?? '')}\n`);
  }
}

/** A failure as the user reads it: the cause in one line, and the way out where there is one. */
export function failureLines(error: unknown): readonly string[] {
  if (error instanceof SeedError) {
    return [`error: ${oneLine(error.message)}`, ...(error.remedy ? [`  ${oneLine(error.remedy)}`] : [])];
  }
  // A flag that does not exist may carry what it should not, such as --password=….
  if (error instanceof CommanderError) {
    return [oneLine(error.message).replace(/(unknown option '--?[^=']+)=.*'/, "$1'")];
  }
  return [`unexpected error: ${oneLine(error instanceof Error ? error.message : String(error))}`];
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}

/** The level decides about stacks even where the command line is too wrong to be read. */
function wantsStacks(args: readonly string[]): boolean {
  return args.some(
    (arg, index) =>
      /^--log-level=debug$/i.test(arg) || (/^debug$/i.test(arg) && args[index - 1] === '--log-level'),
  );
}

/** A reader that has gone away (`| head`) ends no load: what is printed is lost, what is loaded is not. */
function ignoreClosedStreams(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
    });
  }
}
