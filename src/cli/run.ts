/**
 * Runs a command line and says how it ended. Every failure leaves here as one line and an exit
 * status.
 */
import { CommanderError } from 'commander';
import { ExitStatus } from '../errors.js';
import { failureLines, failureResult, Screen } from '../output/screen.js';
import type { Failure } from '../output/types.js';
import { chooseCharacters, inCharacters, jsonText } from '../output/width.js';
import { failureOf } from './commands.js';
import { buildProgram } from './program.js';

/** @returns the exit status. Prints failures on standard error; never throws. */
export async function run(args: readonly string[]): Promise<ExitStatus> {
  chooseCharacters(process.env, args.includes('--ascii'));
  const printing = survivePrintingErrors();
  const debug = wantsStacks(args);
  const fail = (error: unknown): ExitStatus => {
    const failure = failureOf(error, debug);
    printFailure(failure, args.includes('--json'));
    return failure.exitStatus as ExitStatus;
  };
  process.on('uncaughtException', (error) => {
    process.exit(fail(error));
  });
  let status: ExitStatus = ExitStatus.done;
  try {
    const program = buildProgram((ended) => {
      status = ended;
    });
    await program.parseAsync(args, { from: 'user' });
  } catch (error) {
    // Help and version leave commander as an error with status 0.
    if (!(error instanceof CommanderError && error.exitCode === 0)) return fail(error);
  }
  await printed();
  return status === ExitStatus.done && printing.lostOutput ? ExitStatus.failure : status;
}

/** Resolves when standard output has taken, or refused, all that was written to it. */
function printed(): Promise<void> {
  return new Promise((resolve) => {
    process.stdout.write('', () => resolve());
  });
}

function printFailure(failure: Failure, json: boolean): void {
  new Screen(process.stderr, false, process.env.TERM).fail(failure);
  if (json) process.stdout.write(`${jsonText(failureResult(failure))}\n`);
}

/** The level decides about stacks even where the command line is too wrong to be read. */
function wantsStacks(args: readonly string[]): boolean {
  return args.some(
    (arg, index) =>
      /^--log-level=debug$/i.test(arg) || (/^debug$/i.test(arg) && args[index - 1] === '--log-level'),
  );
}

/**
 * Nothing that goes wrong with printing ends a load: what is printed is lost, what is loaded is
 * not. A reader that has gone away (`| head`) has had enough; a full disk is told, once, by the
 * exit status and on standard error.
 */
function survivePrintingErrors(): { readonly lostOutput: boolean } {
  const printing = { lostOutput: false };
  process.stderr.on('error', () => undefined);
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (printing.lostOutput || error.code === 'EPIPE') return;
    printing.lostOutput = true;
    // Bun tells of it only when the status is already said.
    process.exitCode ||= ExitStatus.failure;
    const failure = { message: `cannot write to standard output: ${error.message}`, remedy: '' };
    for (const line of failureLines(failure)) process.stderr.write(`${inCharacters(line)}\n`);
  });
  return printing;
}
