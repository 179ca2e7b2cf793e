/**
 * Secrets are in nothing that leaves the program: what it prints, its logs, its documents, what
 * `ps` shows of it.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Document, MongoClient } from 'mongodb';
import type { CliResult } from '../support/cli.js';
import { loadFlags } from '../support/dataset.js';
import { RunningLoad } from '../support/running.js';
import { startTestServer, type TestServer } from '../support/server.js';

const PASSWORD = "Gr8/p@ss:w%rd'é#?&=Zq7";
/** Every spelling in which it might appear, and a piece that all of them share. */
const SPELLINGS = [
  PASSWORD,
  encodeURIComponent(PASSWORD),
  JSON.stringify(PASSWORD).slice(1, -1),
  'Gr8',
  'Zq7',
];

let server: TestServer;
let admin: MongoClient;
let folder: string;
/** Everything that was seen, by where. */
const seen = new Map<string, string>();

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'seed-database-secrets-'));
  server = await startTestServer({ auth: true });
  admin = await new MongoClient(server.uri).connect();
  await admin.db('secrets').command({ createUser: 'u', pwd: PASSWORD, roles: ['readWrite'] });
});
after(async () => {
  await admin?.close();
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const variables = () => ({
  MONGODB_HOST: '127.0.0.1',
  MONGODB_PORT: String(server.port),
  MONGODB_DATABASE: 'secrets',
  MONGODB_USERNAME: 'u',
  MONGODB_PASSWORD: PASSWORD,
  MONGODB_AUTH_SOURCE: 'secrets',
  MONGODB_SERVER_SELECTION_TIMEOUT_MS: '500',
});
const uri = (port = server.port) =>
  `mongodb://u:${encodeURIComponent(PASSWORD)}@127.0.0.1:${port}/secrets?serverSelectionTimeoutMS=500`;

/** Runs a command and keeps what it shows. */
async function look(name: string, args: readonly string[], env: Record<string, string>): Promise<CliResult> {
  const log = join(folder, `${name}.log`);
  const logged = args[0] === 'load' ? ['--log-file', log, '--log-level', 'debug'] : [];
  const running = new RunningLoad([...args, ...logged], { env });
  let ended = false;
  const end = running.ended.finally(() => {
    ended = true;
  });
  // Until the program has begun nothing can hide its arguments, and how long that takes depends on
  // the machine. That they are hidden at all is shown by the load that is cut off below, at a known
  // point of its work.
  const deadline = Date.now() + 5_000;
  let shown = '';
  while (!ended && !shown.startsWith('seed-database') && Date.now() < deadline) {
    await sleep(20);
    shown = commandLine(running.child.pid);
  }
  if (!ended) keep(`${name}: ps`, shown);
  const result = await end;
  keep(`${name}: output`, result.stdout + result.stderr);
  return result;
}

function keep(where: string, text: string): void {
  seen.set(where, (seen.get(where) ?? '') + text);
}

/** What `ps` would show. */
function commandLine(pid: number | undefined): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return ''; // ended already, or another system
  }
}

const load = (...flags: readonly string[]) =>
  ['load', '--json', '--backup-only', '--seed', '1', '--days', '2', '--end', '2025-02-09', ...flags] as const;

test('every way of giving the password, with every outcome', async () => {
  const env = variables();
  const outcomes: [string, readonly string[], Record<string, string>, number][] = [
    ['variables', load(), env, 0],
    ['uri-flag', load('--uri', uri(), '--clean'), {}, 0],
    ['uri-variable', load('--clean'), { MONGODB_URI: uri() }, 0],
    ['status', ['status', '--uri', uri(), '--json'], {}, 0],
    ['verify', ['verify', '--uri', uri(), '--json'], {}, 0],
    ['config', ['config', '--json'], { ...env, MONGODB_URI: uri() }, 0],
    ['config-flag', ['config', '--uri', uri()], {}, 0],
    ['nobody-there', load('--uri', uri(1)), {}, 3],
    ['wrong-user', load('--clean'), { ...env, MONGODB_USERNAME: 'v' }, 4],
    ['wrong-database', load(), { ...env, MONGODB_DATABASE: 'other' }, 4],
    ['flag-and-uri', load('--uri', uri(), '--host', 'x'), {}, 2],
    ['wrong-uri', load('--uri', `mongodb://u:${PASSWORD}@127.0.0.1`), {}, 2],
    ['no-such-flag', load(`--password=${PASSWORD}`), env, 2],
    ['wrong-option', load('--uri', `${uri()}&w=x&tls=maybe`), {}, 2],
  ];
  for (const [name, args, env, status] of outcomes) {
    const result = await look(name, args, env);
    assert.equal(result.status, status, `${name}: ${result.stderr}`);
  }
});

test('a load that is cut off and resumed, at its most talkative', async () => {
  const log = join(folder, 'cut.log');
  const flags = ['--uri', uri(), '--database', 'secrets', '--clean', '--days', '3', '--log-level', 'debug'];
  const place = { uri: '', database: '' };
  const args = [...loadFlags(place).slice(5), ...flags, '--shard-days', '1', '--retry-seconds', '1'];
  const running = new RunningLoad(['load', '--json', ...args, '--log-file', log]);
  await running.untilPrinted(/assets written/);
  keep('cut: ps', commandLine(running.child.pid));
  await server.kill('SIGKILL');
  const { status, stdout, stderr } = await running.ended;
  assert.equal(status, 3, stderr);
  keep('cut: output', stdout + stderr);
  await server.restart();
  const resumed = await look('resumed', ['load', '--json', '--resume'], variables());
  assert.equal(resumed.status, 0, resumed.stderr);
});

test('nothing of it is anywhere', async () => {
  for (const file of readdirSync(folder)) keep(`log ${file}`, readFileSync(join(folder, file), 'utf8'));
  assert.ok(
    [...seen.keys()].some((where) => where.startsWith('log ')),
    'there are logs',
  );
  for (const { name } of await admin.db('secrets').listCollections().toArray()) {
    if (name.startsWith('system.')) continue;
    const documents = await admin.db('secrets').collection<Document>(name).find().limit(200).toArray();
    keep(`collection ${name}`, JSON.stringify(documents));
  }
  assert.ok(seen.has('collection seed_runs') && seen.has('collection seed_shards'));
  assert.match(seen.get('cut: ps') ?? '', process.platform === 'linux' ? /seed-database/ : /^/);
  for (const [where, text] of seen) {
    for (const spelling of SPELLINGS) {
      assert.ok(!text.includes(spelling), `${where} shows ${spelling}: ${text.slice(0, 2000)}`);
    }
  }
});
