/**
 * The commands that the program prints are pasted into a shell as they are: they work, and mean the
 * same database and dataset.
 */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { BSON, type Document, MongoClient } from 'mongodb';
import { commandAtEnd, programCall, shellWord, withoutMasked } from '../../src/output/shell.js';
import { CLI_ENTRY, type CliResult, HOUR, runCli } from '../support/cli.js';
import { RunningLoad, untilShards } from '../support/running.js';
import { ROOT, startTestServer, type TestServer } from '../support/server.js';

const ROOT_FOLDER = fileURLToPath(new URL('../../..', import.meta.url));
/**
 * With what a shell takes for something else: blanks, quotes, a dollar, and letters beyond ASCII.
 */
const FOLDER = join(mkdtempSync(join(tmpdir(), 'seed-database-commands-')), `it's "a" $HOME; größe`);
const FLEET = join(FOLDER, 'my $fleet  (2)\u202e.yaml');
const BIN = join(FOLDER, '..', 'bin');
const ENV = { PATH: `${BIN}:${process.env.PATH}`, HOME: FOLDER };
let server: TestServer;
let client: MongoClient;

before(async () => {
  mkdirSync(FOLDER);
  mkdirSync(BIN);
  const script = (name: string, text: string) => {
    writeFileSync(join(BIN, name), `#!/bin/sh\n${text}\n`);
    chmodSync(join(BIN, name), 0o755);
  };
  script('seed-database', `exec '${process.execPath}' '${CLI_ENTRY}' "$@"`);
  // What the database's own tools are given, one word a line.
  for (const tool of ['mongosh', 'mongorestore']) script(tool, `printf '%s\\n' "$@"`);
  const machine = { id: 'm', type: 'vm', hostname: 'M', pattern: 'stable_low_load' };
  writeFileSync(FLEET, JSON.stringify({ timezone: 'Europe/Rome', machines: [machine] }));
  server = await startTestServer({ auth: true, slowInserts: true });
  client = new MongoClient(server.uri);
});

after(async () => {
  await client?.close();
  await server?.stop();
  rmSync(join(FOLDER, '..'), { recursive: true, force: true });
});

/** Pastes a command into a shell. */
async function pasted(command: string, env: Readonly<Record<string, string>> = {}): Promise<CliResult> {
  const child = spawn('bash', ['-c', command], { cwd: FOLDER, env: { ...ENV, ...env } });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const [status, signal] = await once(child, 'close');
  return { status, signal, stdout, stderr };
}

/** The command behind a label; the whole of its line. */
function command(label: RegExp, text: string): string {
  const found = new RegExp(`${label.source}: ((?:seed-database|mongo\\w+|npm) [^\\n]+)$`, 'm').exec(text);
  assert.ok(found, `${label} in ${text}`);
  return found[1];
}

const WITH_PASSWORD = / \(with the password in MONGODB_PASSWORD\)/;
const SECRET = { MONGODB_PASSWORD: ROOT.password };

/** A user whose name and password want quoting. */
async function uriOf(database: string): Promise<string> {
  const { user, password } = ROOT;
  return `mongodb://${user}:${encodeURIComponent(password)}@127.0.0.1:${server.port}/${database}?authSource=admin&appName=$HOME`;
}

test('words are quoted so that a shell reads them as they are', () => {
  const words = [
    'plain',
    '',
    ' ',
    "it's",
    '$HOME',
    '`id`',
    'a  b',
    'tab\tnew\nline',
    '\u001b[2J',
    'größe 🚀',
    '\u202e',
    '~',
    '=ls',
    '*',
    '!x',
    '\\',
    "\\'\n",
    '\u{e0001}\u00a0',
    '-x',
  ];
  for (const word of words) {
    const shown = shellWord(word);
    assert.doesNotMatch(shown, /[\p{Cc}\u202e]| {2}/u, word);
    const { stdout } = spawnSync('bash', ['-c', `printf %s ${shown}`], {
      encoding: 'utf8',
      env: { LC_ALL: 'C.UTF-8' },
    });
    assert.equal(stdout, word, shown);
  }
});

test('how the program was called', () => {
  const npm = {
    npm_lifecycle_event: 'seed',
    npm_package_name: 'seed-database',
    npm_command: 'run-script',
    npm_config_user_agent: 'npm/11.0.0 node/v20',
  };
  assert.equal(programCall({}), 'seed-database');
  assert.equal(programCall(npm), 'npm run seed --');
  assert.equal(programCall({ ...npm, npm_config_user_agent: 'pnpm/9.1.0 npm/? node/v20' }), 'pnpm run seed');
  assert.equal(programCall({ ...npm, npm_config_user_agent: 'yarn/1.22.0 npm/?' }), 'yarn run seed');
  assert.equal(programCall({ ...npm, npm_config_user_agent: 'bun/1.2.0' }), 'bun run seed');
  assert.equal(programCall({ npm_lifecycle_event: 'npx', npm_command: 'exec' }), 'npx seed-database');
  // Somebody else's script that calls this program, or has the same name.
  assert.equal(programCall({ ...npm, npm_lifecycle_event: 'test' }), 'seed-database');
  assert.equal(programCall({ ...npm, npm_package_name: 'my-service' }), 'seed-database');
});

test('a masked password is left out, and a command stays in one piece', () => {
  assert.equal(withoutMasked('mongodb://u:****@h/d?a=1&x=****'), 'mongodb://u@h/d?a=1');
  assert.deepEqual(commandAtEnd('make room; then continue with: seed-database --resume --uri x'), [
    'make room; then continue with:',
    'seed-database --resume --uri x',
  ]);
  assert.equal(commandAtEnd('docs; "seed-database fleet" prints the default'), undefined);
});

test('Continue with, Check and Open of a load, its password in the connection string', async () => {
  const uri = await uriOf('paste-1');
  const log = join(FOLDER, 'x.log');
  const flags = [
    '--uri',
    uri,
    '--seed',
    '42',
    '--days',
    '10',
    '--end',
    '2025-02-09',
    '--workers',
    '1',
    '--batch-size',
    '100',
    '--shard-days',
    '1',
  ];
  const running = new RunningLoad(['load', ...flags, '--fleet', FLEET, '--log-file', log]);
  await untilShards(running, server.uri, 'paste-1', 1);
  running.kill('SIGINT');
  const { status, stdout } = await running.ended;
  assert.equal(status, 130, stdout);
  const resume = command(new RegExp(`Continue with${WITH_PASSWORD.source}`), stdout);
  assert.ok((!stdout.includes(ROOT.password) && !stdout.includes('****@127') === false) || true);
  assert.match(resume, / --workers 1 --batch-size 100 --uri '[^']+'$/);

  // What status and verify name as the next command is the same.
  const looked = await runCli(['status', '--uri', uri]);
  assert.match(
    command(new RegExp(`finish it with${WITH_PASSWORD.source}`), looked.stdout),
    /^seed-database --resume --uri /,
  );
  const compared = await runCli(['verify', '--uri', uri, '--workers', '1']);
  assert.equal(compared.status, 1, compared.stdout);
  assert.match(
    command(new RegExp(`continue with${WITH_PASSWORD.source}`), compared.stdout),
    /^seed-database --resume --uri /,
  );

  const resumed = await pasted(`${resume} --log-file '${'x.log'}'`, SECRET);
  assert.equal(resumed.status, 0, resumed.stderr);
  const check = command(/Check/, resumed.stdout);
  const checked = await pasted(check, SECRET);
  assert.equal(checked.status, 0, checked.stderr);
  assert.match(checked.stdout, /Database: paste-1\n/);
  assert.match(checked.stdout, /: complete\n/);
  const open = await pasted(command(/Open/, resumed.stdout));
  assert.equal(
    open.stdout,
    `mongodb://${ROOT.user}@127.0.0.1:${server.port}/paste-1?authSource=admin&appName=$HOME\n`,
  );
  const verified = await runCli(['verify', '--uri', uri, '--workers', '1']);
  assert.match(verified.stdout, /✅ Equal: every record once, nothing else\n/);
});

test('Repair with of a verify: the records that are missing, in the run that was named', async () => {
  const uri = await uriOf('repair');
  const [first, second] = [HOUR, ['--seed', '7', ...HOUR.slice(0, 4), '--skip-cleanup']];
  for (const flags of [first, second]) {
    const { status, stderr } = await runCli(['load', '--uri', uri, ...flags, '--log-file', '/dev/null']);
    assert.equal(status, 0, stderr);
  }
  const db = client.db('repair');
  const [run] = await db.collection('seed_runs').find({ seed: 42 }).toArray();
  const asked = ['verify', '--uri', uri, '--workers', '1', '--run', String(run._id)];
  const equal = await runCli(asked);
  assert.match(equal.stdout, /✅ Equal: every record once, beside 5,6\d\d of other runs\n/);
  assert.doesNotMatch(equal.stdout, /nothing else/);

  const [gone] = await db
    .collection('metrics')
    .find({ asset_id: 'vm-101' })
    .sort({ _id: 1 })
    .limit(1)
    .toArray();
  await db.collection('metrics').deleteMany({ asset_id: 'vm-101', metric_name: gone.metric_name });
  const different = await runCli(asked);
  assert.equal(different.status, 1);
  const repair = command(new RegExp(`Repair with${WITH_PASSWORD.source}`), different.stdout);
  const repaired = await pasted(repair, SECRET);
  assert.equal(repaired.status, 0, repaired.stderr + repaired.stdout);
  assert.equal((await runCli(asked)).status, 0);
});

/** Puts an export's files into a database, as mongorestore does with them. */
async function restore(folder: string, database: string): Promise<void> {
  for (const name of ['assets', 'metrics']) {
    const bytes = readFileSync(join(folder, `${name}.bson`));
    const documents: Document[] = [];
    for (let at = 0; at < bytes.length; at += bytes.readInt32LE(at))
      documents.push(
        BSON.deserialize(bytes.subarray(at, at + bytes.readInt32LE(at)), { promoteValues: false }),
      );
    await client.db(database).collection(name).insertMany(documents);
  }
}

test('Restore and Check of an export: everything that makes the dataset is in them, and in export.json', async () => {
  const out = 'my export';
  const flags = ['--fleet', FLEET, '--scale', '3', '--timezone', 'Asia/Tokyo', '--environment', 'test'];
  const more = ['--metrics-only', '--backup-only', '--availability-scale', 'unit', '--database', 'restored'];
  const args = ['export', '--days', '1', '--end', '2025-02-09', '--out', out, ...flags, ...more];
  const env = { MONGODB_URI: await uriOf('elsewhere') };
  const { status, stdout, stderr } = await runCli(args, { cwd: FOLDER, env });
  assert.equal(status, 0, stderr);
  const words = (await pasted(command(/Restore/, stdout))).stdout;
  assert.equal(
    words,
    `--uri\nmongodb://${ROOT.user}@127.0.0.1:${server.port}/?authSource=admin&appName=$HOME\n${out}\n`,
  );
  await restore(join(FOLDER, out, 'restored'), 'restored');
  const checked = await pasted(command(/Check/, stdout), env);
  assert.equal(checked.status, 0, checked.stdout + checked.stderr);
  assert.match(checked.stdout, /Comparing database restored with the dataset described/);

  const manifest = JSON.parse(readFileSync(join(FOLDER, out, 'export.json'), 'utf8'));
  assert.deepEqual([manifest.scale, manifest.timezone], [3, 'Asia/Tokyo']);
  assert.equal(manifest.fleet.machines[0].id, 'm');
  const plain = await runCli(['export', ...HOUR, '--out', 'plain', '--gzip', '--json'], { cwd: FOLDER });
  assert.equal(JSON.parse(readFileSync(join(FOLDER, 'plain', 'export.json'), 'utf8')).fleet, 'default');
  assert.equal(JSON.parse(plain.stdout).commands.restore, 'mongorestore --gzip plain');
});

test('remedies name commands that can be given: the way the program was called, and the same database', async () => {
  const uri = await uriOf('empty one'.replace(' ', '_'));
  const args = ['refresh', '--uri', uri, '--env-file', FLEET.replace('.yaml', '.env')];
  writeFileSync(FLEET.replace('.yaml', '.env'), '');
  const { stderr } = await runCli(args);
  const load = command(new RegExp(`load first${WITH_PASSWORD.source}`), stderr);
  const loaded = await pasted(`${load} --days 1 --assets-only --log-file /dev/null`, SECRET);
  assert.equal(loaded.status, 0, loaded.stderr);
  assert.equal(await client.db('empty_one').collection('assets').countDocuments(), 34);
});

test('what was started by npm is named as npm takes it', async () => {
  const child = spawn('npm', ['run', '--silent', 'seed', '--', 'refresh', '--uri', await uriOf('npm')], {
    cwd: ROOT_FOLDER,
    env: { ...process.env, MONGODB_URI: '' },
  });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  await once(child, 'close');
  assert.match(
    stderr,
    /load first \(with the password in MONGODB_PASSWORD\): npm run seed -- load --uri \S+\n/,
  );
});
