/**
 * What README and docs show is run: every block of code in them, line by line, on a real server.
 * Only smaller (two hours for fourteen days, two sites for a thousand), and in a folder of its own.
 * A block of a kind that is not known here fails.
 */
import assert from 'node:assert/strict';
import {
  copyFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type Document, ObjectId } from 'mongodb';
import { documentOf, seriesIdPrefix } from '../../src/encode/document.js';
import { parseFleet } from '../../src/fleet/read.js';
import { regularSampling } from '../../src/model/sampling.js';
import { runCli, startCli } from '../support/cli.js';
import { useServer } from '../support/loading.js';
import { until } from '../support/server.js';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');
const DOCS = readdirSync(join(ROOT, 'docs')).filter((name) => name.endsWith('.md'));
const PAPERS = ['README.md', 'CONTRIBUTING.md', ...DOCS.map((name) => `docs/${name}`)];

interface Block {
  readonly paper: string;
  readonly language: string;
  readonly code: string;
}

/** Blocks of `text` are what a program prints, or a picture. */
function blocksOf(paper: string): Block[] {
  const blocks = [...read(paper).matchAll(/^ *```(\w+)\n([\s\S]*?)^ *```/gm)];
  return blocks
    .map(([, language, code]) => ({
      paper,
      language,
      code: (code.startsWith('   ') ? code.replace(/^ {3}/gm, '') : code).trim(),
    }))
    .filter(({ language }) => language !== 'text');
}

const file = useServer();
let folder: string;

before(() => {
  folder = mkdtempSync(join(tmpdir(), 'seed-database-shown-'));
  copyFileSync(join(ROOT, '.env.example'), join(folder, '.env.example'));
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
});
after(() => rmSync(folder, { recursive: true, force: true }));

const WINDOW_MS = 2 * 3_600_000;

/** A window of two hours with the same end. */
function shorter(line: string): string {
  const end = /--end (\S+)/.exec(line)?.[1];
  const last = end ? new Date(end) : new Date(new Date().setUTCHours(0, 0, 0, 0));
  const window = `--start ${new Date(last.getTime() - WINDOW_MS).toISOString()}`;
  return end ? window : `${window} --end ${last.toISOString()}`;
}

/** The same line, of less, and for the server of this test. */
function smaller(line: string): string {
  return (
    line
      // A report is of what is there.
      .replace(/^(?!report\b)(.*)--days \d+/, (_, before) => before + shorter(line))
      .replace(/^preview\b(?!.*--(?:start|days))/, (command) => `${command} ${shorter(line)}`)
      .replace(/--scale \d+/, '--scale 2')
      .replaceAll('mongodb://localhost:27017', file.server.uri.replace(/\/$/, ''))
      .replace('/var/log/', '')
  );
}

const environment = (database: string) => ({
  MONGODB_URI: file.server.uri,
  MONGODB_DATABASE: database,
  SEED_DATABASE_HOME: join(folder, 'home'),
});

async function run(line: string, database: string): Promise<void> {
  const [command, output] = smaller(line).split(' > ');
  const args = command.split(/\s+/).filter((arg) => arg !== '');
  if (args[0] === 'serve') return serves(args);
  // A database that is named is the one of this block.
  const named = args.indexOf('--database');
  if (named >= 0) args[named + 1] = database;
  const { status, stdout, stderr } = await runCli(args, { env: environment(database), cwd: folder });
  assert.equal(status, 0, `${line}: ${stderr}`);
  if (output) writeFileSync(join(folder, output), stdout);
}

/** Stays until it is stopped. */
async function serves(args: readonly string[]): Promise<void> {
  const { child, result } = startCli(args, { env: environment('serve'), cwd: folder });
  await new Promise((resolve) =>
    child.stdout?.on('data', (text: string) => /mongodb:/.test(text) && resolve(undefined)),
  );
  child.kill('SIGINT');
  const { status, stderr } = await result;
  assert.ok(status === 0 || status === 130, stderr);
}

const anHourAgo = () => new Date(Math.floor(Date.now() / 60_000 - 60) * 60_000).toISOString();

/** A database for lines that expect one: loaded, and interrupted where they resume. */
async function prepare(lines: readonly string[], database: string): Promise<void> {
  const needs = lines.find((line) => !/^(preview|export|fleet|config|serve)\b/.test(line));
  const loads = needs === undefined || (/^(-|$)/.test(needs) && !needs.includes('--resume'));
  if (loads) return;
  // A refresh goes up to now: from long ago that would be much.
  const end = lines.some((line) => line.startsWith('refresh')) ? anHourAgo() : '2025-02-09';
  await run(`--seed 42 --days 1 --end ${end}`, database);
  if (!lines.some((line) => line.includes('--resume'))) return;
  await file.client
    .db(database)
    .collection('seed_runs')
    .updateOne({}, { $set: { state: 'interrupted' } });
}

/** These are what `.ci/run` does; here it is made sure that it does. */
const OF_CI = ['npm ci', 'npm test', 'npm run lint'];

async function runBash(code: string): Promise<void> {
  const database = file.freshDatabase();
  const lines: string[] = [];
  for (const whole of code.split('\n')) {
    const line = whole.replace(/ +#.*$/, '');
    const program = /^(?:npm ci && )?(?:npm run (?:--silent )?seed --|seed-database)(?: (.*))?$/.exec(line);
    if (program) lines.push(program[1] ?? '');
    else if (line === 'cp .env.example .env')
      copyFileSync(join(folder, '.env.example'), join(folder, 'of-example.env'));
    else
      for (const part of line.split(' && '))
        assert.ok(OF_CI.includes(part) && read('.ci/run').includes(part), line);
  }
  if (lines.length === 0) return;
  await prepare(lines, database);
  for (const line of lines) await run(line, database);
}

/**
 * A script as a file of a user's project, or what is typed into mongosh, or the shape of a
 * document.
 */
async function runJs(code: string): Promise<void> {
  const database = file.freshDatabase();
  if (code.startsWith('{')) return assertDocument(code);
  await run('--seed 42 --days 1 --end 2025-02-09', database);
  if (code.startsWith('import')) {
    const script = smaller(code)
      .replaceAll(/pmi_infrastructure_dev|my_tests/g, database)
      .replace("'seed-database'", `'${join(ROOT, 'dist/src/index.js')}'`);
    writeFileSync(join(folder, 'shown.mjs'), script);
    await import(join(folder, 'shown.mjs'));
    return;
  }
  const shell = new Proxy({}, { get: (_, name) => file.client.db(database).collection(String(name)) });
  for (const line of code.split('\n')) {
    const result = await new Function('db', `return ${line}`)(shell);
    const found = typeof result === 'number' ? result : (await result.toArray()).length;
    assert.ok(found > 0, line);
  }
}

function assertDocument(code: string): void {
  const shown = new Function('ObjectId', 'ISODate', `return ${code}`)(
    () => new ObjectId(),
    (text: string) => new Date(text),
  );
  const layout = 'meta' in shown ? 'timeseries' : 'flat';
  const idPrefix = seriesIdPrefix(1, 'vm-101', 'cpu_usage');
  const series = {
    assetId: 'vm-101',
    assetType: 'vm',
    metricName: 'cpu_usage',
    unit: 'percentage',
    section: 'metrics',
    environment: 'production',
    idPrefix,
    sampling: regularSampling(60),
  } as const;
  const made = documentOf[layout](series, 28_984_950, 67.5);
  assert.deepEqual({ ...made, _id: 0, value: 67.5 }, { ...shown, _id: 0, timestamp: made.timestamp });
}

/** What cannot be run here is said to be so in its paper; its command line is run all the same. */
async function runCron(code: string, paper: string): Promise<void> {
  assert.match(
    read(paper).replace(/\s+/g, ' '),
    /cron and systemd themselves, which are not there where the tests run/,
  );
  const [, line] = /seed-database (.*)$/.exec(code) ?? [];
  await runBash(`seed-database ${line.replace(/ >\/dev\/null$/, '')}`);
}

async function runIni(code: string): Promise<void> {
  const [, line] = /^ExecStart=\/usr\/bin\/env seed-database (.*)$/m.exec(code) ?? [];
  const database = 'shown_follow';
  await run(`--seed 42 --days 1 --end ${anHourAgo()}`, database);
  const runs = file.client.db(database).collection('seed_runs');
  const { window } = (await runs.findOne()) as Document;
  const { child, result } = startCli(smaller(line).split(' '), { env: environment(database), cwd: folder });
  await until('the run is extended', async () => {
    const { state, window: grown } = (await runs.findOne({}, { sort: { startedAt: -1 } })) as Document;
    return state === 'complete' && grown.end > window.end;
  });
  child.kill('SIGTERM');
  const { status, stderr } = await result;
  assert.equal(status, 0, stderr);
}

for (const paper of PAPERS) {
  describe(paper, () => {
    for (const { language, code } of blocksOf(paper)) {
      test(`${language}: ${code.split('\n')[0].slice(0, 80)}`, async () => {
        if (language === 'bash') await runBash(code);
        else if (language === 'js') await runJs(code);
        else if (language === 'yaml') parseFleet(code, paper);
        else if (language === 'cron') await runCron(code, paper);
        else if (language === 'ini') await runIni(code);
        else assert.fail(`nobody runs ${language}`);
      });
    }
  });
}

test('there are blocks to run, and one that is wrong fails', async () => {
  assert.ok(PAPERS.flatMap(blocksOf).length > 20);
  await assert.rejects(runBash('seed-database --dys 7'), /unknown option/);
  await assert.rejects(runBash('npm run nothing'));
  await assert.rejects(runJs('db.assets.countDocuments({ asset_type: "none" })'));
});
