/**
 * Every test file is run by exactly one script of package.json, and `.ci/run` runs each of these
 * scripts.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { filesOf as filesOfSuite } from '../../servers/suites.js';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
  scripts: Readonly<Record<string, string>>;
};
/** Loads into some two hundred prepared databases, for several minutes: before a release. */
const FUZZ = 'test:targets';

/** The part of `npm test` that needs no server. */
const UNIT = 'test:unit';
const testScripts = Object.keys(scripts).filter((name) => /^test\b/.test(name) && name !== UNIT);

/**
 * Runs the files of the others again on other servers, which takes an hour, and those of a folder
 * of its own.
 */
const OTHER_SERVERS = 'test:servers';

/** As the shell finds them, which npm runs the script with. */
function filesOf(script: string): string[] {
  if (script === OTHER_SERVERS) {
    const files = filesOfSuite('surroundings', false).map((path) => relative(ROOT, path));
    return files.filter((path) => path.startsWith('dist/test/servers/'));
  }
  const patterns = scripts[script].match(/dist\/test\/\S+/g) ?? [];
  const list = execFileSync('sh', ['-c', `printf '%s\\n' ${patterns.join(' ')}`], { cwd: ROOT });
  return list.toString().trim().split('\n');
}

test('every test file is run by exactly one script', () => {
  const there = readdirSync(join(ROOT, 'dist/test'), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.test.js'))
    .map((path) => `dist/test/${path}`);
  assert.deepEqual(testScripts.flatMap(filesOf).sort(), there.sort());
});

test('the tests that need no server are a part of npm test', () => {
  const all = filesOf('test');
  const unit = filesOf(UNIT);
  assert.ok(unit.length > 10);
  assert.deepEqual(
    unit.filter((file) => !all.includes(file)),
    [],
  );
});

test('continuous integration runs every script of tests but the long one', () => {
  const commands = readFileSync(join(ROOT, '.ci/run'), 'utf8').split('\n');
  for (const name of testScripts.filter((one) => ![OTHER_SERVERS, FUZZ].includes(one))) {
    const command = name === 'test' ? /^npm test$/ : new RegExp(`^npm run --ignore-scripts ${name}( &)?$`);
    assert.ok(
      commands.some((line) => command.test(line)),
      name,
    );
  }
});
