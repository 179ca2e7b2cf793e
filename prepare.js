/**
 * What npm runs after it has installed: builds the program. `NODE_ENV=production` leaves out what that takes; it means how
 * programs run, not that this one should not, so the tools are fetched. Whoever says `--omit=dev` means it.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

const TOOLS = ['typescript', 'esbuild', '@types/node'];

const hasTools = () => TOOLS.every((name) => existsSync(new URL(`node_modules/${name}`, import.meta.url)));

/** With the npm that runs this. @returns whether it succeeded */
function npm(...args) {
  const { npm_execpath: script } = process.env;
  const [command, ...first] = script ? [process.execPath, script] : ['npm'];
  return spawnSync(command, [...first, ...args], { stdio: 'inherit' }).status === 0;
}

const omitted = (process.env.npm_config_omit ?? '').split(/\s+/).includes('dev');
if (!hasTools() && !omitted && process.env.NODE_ENV === 'production') {
  process.stdout.write('seed-database: fetching what builds it, which NODE_ENV=production leaves out\n');
  npm('install', '--include=dev', '--no-save', '--ignore-scripts', '--no-audit', '--no-fund');
}
if (hasTools()) process.exitCode = npm('run', 'build') ? 0 : 1;
else if (!existsSync(new URL('dist', import.meta.url))) {
  process.stdout.write(
    'seed-database: not built, for want of its tools; npm ci --include=dev fetches and builds\n',
  );
}
