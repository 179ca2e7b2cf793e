/** The documents say what is so: flags, variables, links, files and the command lines that they show. */
import assert from 'node:assert/strict';
import { copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { SETTING_NAMES, settingEntry } from '../../src/config/catalog.js';
import { DEFAULT_FLEET } from '../../src/fleet/default.js';
import { PATTERN_NAMES } from '../../src/fleet/types.js';
import { sampledSeries } from '../../src/model/telemetry-model.js';
import { runCli } from '../support/cli.js';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');

const { scripts: SCRIPTS } = JSON.parse(read('package.json'));
const DOCS = readdirSync(join(ROOT, 'docs'))
  .filter((name) => name.endsWith('.md'))
  .map((name) => `docs/${name}`);
const DOCUMENTS = ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', 'bench/README.md', ...DOCS];

/** Rows of a document's tables, each as the texts of its cells. */
function rowsOf(text: string): string[][] {
  return text
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .map((line) => line.slice(2, -2).split(' | '));
}

test('every flag stands in the table of README with its default, and no other flag does', () => {
  const rows = rowsOf(read('README.md')).filter(([flag]) => flag.startsWith('`--'));
  const listed = new Map(rows.map(([flag, meaning, text]) => [flag, { meaning, text }]));
  const expected = ['`--help`', '`--version`'];
  for (const name of SETTING_NAMES) {
    const { flag, argument, default: text, switchTo } = settingEntry(name);
    if (flag === undefined) continue;
    const written = argument === undefined ? `\`${flag}\`` : `\`${flag} ${argument}\``;
    expected.push(written);
    const row = listed.get(written);
    assert.ok(row, `${written} is missing`);
    assert.notEqual(row.meaning, '');
    if (argument === undefined) assert.equal(row.text, 'off', flag);
    else if (text !== undefined && switchTo === undefined) assert.equal(row.text, `\`${text}\``, flag);
    else assert.notEqual(row.text, '', flag);
  }
  assert.deepEqual([...listed.keys()].sort(), expected.sort());
});

test('.env.example names every variable with its default, and README names every variable', () => {
  const assigned = new Map(
    [...read('.env.example').matchAll(/^# ?([A-Z_]+)=(.*)$/gm)].map(([, name, value]) => [name, value]),
  );
  const expected = SETTING_NAMES.flatMap((name) => {
    const { variable, default: text = '', switchTo } = settingEntry(name);
    // NO_COLOR switches off what is on by default: it has no default of its own.
    return variable === undefined ? [] : [[variable, switchTo === undefined ? text : ''] as const];
  });
  assert.deepEqual([...assigned].sort(), expected.sort());
  const readme = read('README.md');
  for (const [variable] of expected) assert.ok(readme.includes(`\`${variable}\``), variable);
});

test('every command of the program stands in README, and every command there exists', async () => {
  const { stdout } = await runCli(['--help']);
  const help = stdout.slice(stdout.indexOf('\nLoad:'), stdout.indexOf('\nExamples:'));
  const commands = [...help.matchAll(/^ {2}(\w+)/gm)].map(([, name]) => name);
  assert.ok(commands.includes('load') && commands.includes('verify'), help);
  const chapter = read('README.md')
    .split('\n## ')
    .find((one) => one.startsWith('Commands'));
  const listed = rowsOf(chapter ?? '').flatMap(([name]) => /^`(\w+)/.exec(name)?.[1] ?? []);
  assert.deepEqual(listed.sort(), commands.sort());
});

test('the exit statuses of README are those of the help', async () => {
  const { stdout } = await runCli(['--help']);
  const help = stdout.slice(stdout.indexOf('\nExit status:'));
  const chapter = read('README.md')
    .split('\n## ')
    .find((one) => one.startsWith('Exit status'));
  const listed = rowsOf(chapter ?? '').filter(([status]) => /^\d+$/.test(status));
  const statuses = [...help.matchAll(/^ {2}(\d+) /gm)].map(([, status]) => status);
  assert.deepEqual(
    listed.map(([status]) => status),
    statuses,
  );
  for (const [status, meaning] of listed)
    assert.ok(help.includes(meaning.split(';')[0]), `${status} ${meaning}`);
});

test('every relative link leads to something', () => {
  let links = 0;
  for (const document of DOCUMENTS) {
    for (const [, target] of read(document).matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^[a-z]+:/.test(target)) continue;
      links++;
      const [path, anchor] = target.split('#');
      const file = path === '' ? document : join(dirname(document), path);
      assert.ok(existsSync(join(ROOT, file)), `${document} links to ${target}`);
      if (anchor) assert.ok(anchorsOf(read(file)).includes(anchor), `${document} links to ${target}`);
    }
  }
  assert.ok(links >= 10, `${links} links`);
});

test('every file and script of the project that a document names is there', () => {
  const tests = readdirSync(join(ROOT, 'test'), { recursive: true, encoding: 'utf8' });
  const missing: string[] = [];
  let named = 0;
  for (const document of DOCUMENTS) {
    // What was there once, the changelog may name.
    if (document === 'CHANGELOG.md') continue;
    const text = read(document);
    const note = (isThere: boolean, what: string) => {
      named++;
      if (!isThere) missing.push(`${document}: ${what}`);
    };
    for (const [, path] of text.matchAll(/`((?:src|workers|test|bench|soak|servers|examples)\/[\w./-]+)`/g)) {
      note(
        ['', '.ts'].some((ending) => existsSync(join(ROOT, path + ending))),
        path,
      );
    }
    for (const [, name] of text.matchAll(/`([\w-]+\.test\.ts)`/g)) {
      note(
        tests.some((path) => path.endsWith(name)),
        name,
      );
    }
    for (const [, name] of text.matchAll(/npm run ([a-z][\w:]*)/g)) note(name in SCRIPTS, `npm run ${name}`);
  }
  assert.deepEqual(missing, []);
  assert.ok(named > 50, `${named} names`);
});

/** The names that headings can be linked to by. */
function anchorsOf(text: string): string[] {
  return [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading]) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

/** Command lines that a document shows, in blocks and in sentences, without the program's name. */
function commandLinesOf(text: string): string[] {
  const found: string[] = [];
  const code = [...text.matchAll(/^ *```bash\n([\s\S]*?)^ *```|`([^`\n]+)`/gm)];
  for (const [, block, inline] of code) {
    for (const line of (block ?? inline).split('\n')) {
      const match = /(?:npm run (?:--silent )?seed --|^\s*seed-database)(?:\s+(?<args>\S.*))?$/.exec(line);
      const args = match?.groups?.args?.trim();
      // `…` and <id> stand for something else: they show a form, not an example.
      if (args !== undefined && !/…|<\w+>/.test(args)) found.push(args);
    }
  }
  return found;
}

/** These have no --dry-run; they would connect, or serve until they are stopped. */
const SUBCOMMANDS = [
  'status',
  'doctor',
  'verify',
  'preview',
  'report',
  'refresh',
  'follow',
  'export',
  'answers',
  'workload',
  'serve',
  'fleet',
  'config',
  'help',
];

/** Where the command lines run: with the files that they name. */
const folder = mkdtempSync(join(tmpdir(), 'seed-database-documents-'));

/**
 * A load is planned and not done; of the other commands the help is asked, which has to list what
 * the line gives them.
 */
async function assertTaken(line: string): Promise<void> {
  const [command, ...rest] = line.split(/\s+/);
  if (!SUBCOMMANDS.includes(command)) {
    const { status, stdout, stderr } = await runCli([command, ...rest, '--dry-run', '--no-color'], {
      cwd: folder,
    });
    assert.equal(status, 0, `${line}: ${stderr}`);
    assert.match(stdout, /Dry run|"dry run"/, line);
    return;
  }
  const { status, stdout, stderr } = await runCli(['help', command === 'help' ? rest[0] : command]);
  assert.equal(status, 0, `${line}: ${stderr}`);
  const flags = rest.filter((arg) => arg.startsWith('-'));
  for (const flag of flags) assert.match(stdout, new RegExp(`^ +${flag}\\b`, 'm'), line);
}

test('every command line shown is one that the program takes', async (t) => {
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  copyFileSync(join(ROOT, 'examples/fleets/default.yaml'), join(folder, 'my-fleet.yaml'));
  const shown = [...new Set(DOCUMENTS.flatMap((document) => commandLinesOf(read(document))))];
  await Promise.all(shown.map(assertTaken));
  assert.ok(shown.length >= 12, `${shown.length} command lines: ${shown.join('; ')}`);
  await assert.rejects(assertTaken('--dys 7'), /unknown option/);
  await assert.rejects(assertTaken('status --clean'), /--clean/);
});

test('every chapter of the manual names the room of its code', () => {
  const [, ...chapters] = read('docs/manual.md').split(/^## /m);
  assert.equal(chapters.length, 12);
  for (const chapter of chapters) {
    const [, code = ''] = /^Code: (.*)$/m.exec(chapter) ?? [];
    assert.match(code, /`src\/\w+/, chapter.split('\n')[0]);
  }
});

test("README has the two commands and the manual's seven scenarios", () => {
  const readme = read('README.md');
  assert.match(readme, /^npm ci && npm run seed -- --days 14 --seed 42$/m);
  assert.match(readme, /^npm ci && npm test$/m);
  const chapter = readme.split('\n## ').find((one) => one.startsWith('Scenarios')) ?? '';
  const lines = [...chapter.matchAll(/^ *npm run seed -- (.*)$/gm)].map(([, args]) => args);
  assert.deepEqual(lines, [
    '--days 7 --batch-size 2000 --log-level DEBUG',
    '--seed 42 --days 14 --clean',
    '--days 90 --batch-size 10000 --log-level DEBUG',
    '--resume --log-level DEBUG',
    '--assets-only --days 30 --log-level DEBUG',
    '--polling-only --days 7 --batch-size 5000',
    '--backup-only --days 14 --batch-size 1000',
  ]);
});

test('the data model names every asset, pattern, series and field of the fleet', () => {
  const text = read('docs/data-model.md');
  const { machines, services, jobs } = DEFAULT_FLEET;
  const names = [
    ...[...machines, ...services, ...jobs].map(({ assetId }) => `\`${assetId}\``),
    ...[...machines, ...services, ...jobs]
      .flatMap(({ data }) => Object.keys(data))
      .map((field) => `\`${field}\``),
    ...machines.map(({ hostname }) => hostname),
    ...services.map(({ serviceName, data }) => `${serviceName} (${data.port})`),
    ...PATTERN_NAMES.map((name) => `\`${name}\``),
    ...[...machines, ...services].flatMap(sampledSeries).map(({ metricName }) => `\`${metricName}\``),
  ];
  assert.ok(names.length > 100);
  assert.deepEqual(
    [...new Set(names)].filter((name) => !text.includes(name)),
    [],
  );
});

test('every dependency has a line that says why, and none is named that is not there', () => {
  const { dependencies, devDependencies } = JSON.parse(read('package.json')) as Record<
    'dependencies' | 'devDependencies',
    Record<string, string>
  >;
  const rows = rowsOf(read('docs/dependencies.md')).filter(([name]) => name.startsWith('`'));
  const listed = rows.flatMap(([names, why]) => {
    assert.ok(why.length > 10, names);
    return names.split(', ').map((name) => name.replaceAll('`', ''));
  });
  assert.deepEqual(listed.sort(), [...Object.keys(dependencies), ...Object.keys(devDependencies)].sort());
});
