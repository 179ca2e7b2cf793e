/**
 * What `npm run seed` starts: the program, if it is built. Two dashes stand before this file's name in package.json, because
 * Node would take an `--env-file` for its own.
 */
import { existsSync } from 'node:fs';

const program = new URL('dist/bundled/src/cli/main.js', import.meta.url);

if (existsSync(program)) await import(program.href);
else {
  const canBuild = existsSync(new URL('node_modules/typescript', import.meta.url));
  process.exitCode = 2;
  process.stderr.write(
    `seed-database: it is not built yet\n   run: ${canBuild ? 'npm run build' : 'npm ci --include=dev'}\n`,
  );
}
