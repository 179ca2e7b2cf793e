#!/usr/bin/env node
/**
 * The command's entry. Any Node that knows modules can read it: what needs a newer one is imported
 * after the version was looked at.
 */
import { nodeRefusal } from '../supported-node.js';

/** Exit statuses of `ExitStatus`, which would be an import too many. */
const FAILURE = 1;
const USAGE = 2;

function refuse(status: number, message: string, remedy: string): void {
  process.exitCode = status;
  process.stderr.write(`seed-database: ${message}\n   ${remedy}\n`);
  if (process.argv.indexOf('--json') < 0) return;
  const failure = { status: 'failed', exitStatus: status, error: message, remedy };
  process.stdout.write(`${JSON.stringify(failure)}\n`);
}

const tooOld = nodeRefusal(process.versions.node);
if (tooOld) {
  refuse(USAGE, tooOld, 'install a newer one (https://nodejs.org), or run it through npx -p node@22 node');
} else {
  import('./start.js')
    .then(({ start }) => start())
    .catch((error) => {
      const tooManyFiles = error.code === 'EMFILE' || error.code === 'ENFILE';
      const remedy = tooManyFiles ? 'allow more open files: ulimit -n 1024' : 'npm ci installs it anew';
      refuse(FAILURE, `the program cannot be read: ${error.message}`, remedy);
    });
}
