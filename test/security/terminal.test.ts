/**
 * Nothing that comes from a database, a fleet file, a server or a path rules the terminal it is
 * shown on, or the log it is kept in.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type Document, MongoClient } from 'mongodb';
import { parse, stringify } from 'yaml';
import { Screen } from '../../src/output/screen.js';
import { type CliResult, runCli } from '../support/cli.js';
import { placeFlags } from '../support/dataset.js';
import { Capture, progressAt, STARTED, SUMMARY, tell } from '../support/reporting.js';
import { startTestServer, type TestServer } from '../support/server.js';

/**
 * A title, a cleared screen, the same in one character, a line drawn over, a line of its own, and
 * text that runs backwards.
 */
const EVIL =
  'x\u001b]0;pwned\u0007\u001b[2J\u009b2J\u009d0;y\u009c\rpwned\n✅ Load complete\u2028z\u202etxt\u2066\u007f';
/** All of it but the line breaks that the program writes itself. */
const RULES = /[^\n\P{Cc}]|[\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/u;

const FOLDER = mkdtempSync(join(tmpdir(), 'seed-database-terminal-'));
const FLEET = join(FOLDER, 'fleet.yaml');
const PLACE = { uri: '', database: 'ruled' };
let server: TestServer;
let client: MongoClient;

before(async () => {
  server = await startTestServer({ args: ['--setParameter', 'enableTestCommands=1'] });
  client = new MongoClient(server.uri);
  PLACE.uri = server.uri;
  const service = { id: 's', name: EVIL, type: EVIL.slice(0, 40), port: 80 };
  const machine = { id: 'm', type: 'vm', hostname: EVIL, pattern: 'stable_low_load', services: [service] };
  writeFileSync(FLEET, stringify({ machines: [{ ...machine, data: { note: EVIL } }] }));
});

after(async () => {
  await client?.close();
  await server?.stop();
  rmSync(FOLDER, { recursive: true, force: true });
});

function assertHarmless({ stdout, stderr }: CliResult, what: string): void {
  for (const text of [stdout, stderr]) {
    const found = RULES.exec(text);
    assert.equal(
      found,
      null,
      `${what}: ${JSON.stringify(text.slice(Math.max(0, (found?.index ?? 0) - 60)))}`,
    );
    // A line break within a name makes no line.
    assert.doesNotMatch(text, /^✅ Load complete.?z/m, what);
  }
}

/** Runs a command in words and as JSON; neither rules anything, and the JSON is what it is of. */
async function shown(args: readonly string[], json = true): Promise<string> {
  const plain = await runCli(args);
  assertHarmless(plain, args[0]);
  if (json) {
    const object = await runCli([...args, '--json']);
    assertHarmless(object, `${args[0]} --json`);
    assert.ok(object.stdout !== '', object.stderr);
    JSON.parse(object.stdout);
  }
  return plain.stdout + plain.stderr;
}

test('names of a fleet file: load, its log, preview, export, fleet and its mistakes', async () => {
  const log = join(FOLDER, 'load.log');
  const flags = ['--fleet', FLEET, '--start', '2025-02-08T02:00Z', '--end', '2025-02-08T03:00Z'];
  await shown([
    'load',
    ...placeFlags(PLACE),
    ...flags,
    '--seed',
    '7',
    '--log-file',
    log,
    '--log-level',
    'debug',
  ]);
  assert.doesNotMatch(readFileSync(log, 'utf8'), RULES);
  assert.match(await shown(['preview', ...flags, '--seed', '7']), /pwned/);
  await shown(['export', ...flags, '--seed', '7', '--out', join(FOLDER, 'out'), '--clean']);
  for (const format of ['yaml', 'json']) {
    const listing = await runCli(['fleet', '--fleet', FLEET, '--format', format]);
    assertHarmless(listing, 'fleet');
    assert.equal(parse(listing.stdout).machines[0].hostname, EVIL, format);
  }
  const wrong = join(FOLDER, 'wrong.yaml');
  writeFileSync(wrong, stringify({ machines: [{ id: EVIL, [EVIL]: 1 }], jobs: EVIL }));
  await shown(['fleet', '--fleet', wrong], false);
  await shown(['load', '--fleet', wrong, '--log-file', log]);
  assert.doesNotMatch(readFileSync(log, 'utf8'), RULES);
});

test('texts of a database: status, verify, report, doctor, and what a load is refused for', async () => {
  const db = client.db(PLACE.database);
  const [run] = await db.collection('seed_runs').find().toArray();
  assert.ok(run);
  const { _id, ...rest } = run;
  const held = {
    ...rest,
    _id: `${EVIL}held`,
    state: 'loading',
    active: true,
    heartbeat: new Date(),
    host: EVIL,
  };
  await db.collection<{ _id: string }>('seed_runs').insertMany([
    { ...held, version: EVIL, startedAt: new Date() } as Document as { _id: string },
    {
      ...rest,
      _id: `${EVIL}broken`,
      active: undefined,
      layout: EVIL,
      startedAt: new Date(0),
    } as Document as { _id: string },
  ]);
  const asset = {
    asset_type: EVIL,
    asset_id: EVIL,
    hostname: EVIL,
    service_name: EVIL,
    data: { note: EVIL },
  };
  await db.collection('assets').insertOne({ ...asset, last_updated: new Date() });
  const record = { asset_id: EVIL, asset_type: EVIL, metric_name: EVIL, unit: EVIL, environment: EVIL };
  await db.collection('metrics').insertMany(
    Array.from({ length: 20 }, (_, minute) => ({
      ...record,
      timestamp: new Date(Date.UTC(2025, 1, 8, 2, minute)),
      value: minute,
    })),
  );
  assert.match(await shown(['status', ...placeFlags(PLACE)]), /held: loading/);
  assert.match(
    await shown(['verify', ...placeFlags(PLACE), '--workers', '1', '--run', _id as unknown as string]),
    /foreign/,
  );
  assert.match(await shown(['report', ...placeFlags(PLACE), '--days', '1']), /pwned/);
  await shown(['doctor', ...placeFlags(PLACE)]);
  assert.match(await shown(['load', ...placeFlags(PLACE), '--log-file', '/dev/null'], false), /pwned/);
  await shown(['verify', ...placeFlags(PLACE), '--run', EVIL]);
  await shown(['refresh', ...placeFlags(PLACE)]);
});

test("a server's messages, paths, flags and variables", async () => {
  await client.db('admin').command({
    configureFailPoint: 'failCommand',
    mode: { times: 1 },
    data: { failCommands: ['dbStats'], errorCode: 8000, errorLabels: [] },
  });
  await shown(['status', ...placeFlags(PLACE)], false);
  await client.db('admin').command({ configureFailPoint: 'failCommand', mode: 'off' });
  await shown(['status', '--uri', server.uri, '--database', EVIL]);
  await shown(['status', '--uri', `mongodb://${EVIL}/x`]);
  await shown(['load', '--fleet', EVIL, '--log-file', '/dev/null']);
  await shown(['load', `--${EVIL}`], false);
  await shown([EVIL], false);
  await shown(['preview', '--html', join(FOLDER, 'none', EVIL)], false);
  await shown(['preview', '--html', join(FOLDER, 'a\u001b[2Jb')], false);
  const variables = { MONGODB_USERNAME: `a${EVIL}`, MONGODB_PASSWORD: 'p', MONGODB_SSL_CA_PATH: EVIL };
  for (const args of [['config'], ['config', '--json'], ['status']])
    assertHarmless(await runCli(args, { env: variables }), args.join(' '));
  assertHarmless(await runCli(['config', '--log-file', 'a\u009b2Jb\u202e']), 'config');
});

test('on a terminal the colours of the program stay, and nothing else', () => {
  const terminal = new Capture(80);
  new Screen(terminal, true, 'xterm').print([`   ├── ${EVIL}`], 'good');
  assert.ok(
    terminal.text.startsWith('\u001b[2m   ├── \u001b[22m\u001b[1;32mx ]0;pwned'),
    JSON.stringify(terminal.text),
  );
  assert.ok(terminal.text.endsWith('\u001b[22;39m\n'));
  const own = ['2', '22', '1;32', '22;39'].reduce(
    (text, code) => text.replaceAll(`\u001b[${code}m`, ''),
    terminal.text,
  );
  assert.doesNotMatch(own, RULES);
  assert.equal(own.split('\n').length, 2);
});

test('the bar that moves shows names without what rules', async () => {
  const current = { assetId: EVIL, name: EVIL, metric: 'cpu_usage', until: new Date() };
  const events = [STARTED, progressAt(1000, { current }), progressAt(2000, { current })];
  const logFile = join(FOLDER, 'bar.log');
  const { stdout } = await tell({ logFile }, (reporter) => reporter.finish(SUMMARY), {
    columns: 300,
    events,
  });
  assert.match(stdout, /x \]0;pwned/);
  for (const rule of ['\u001b]', '\u001b[2J', '\u0007', '\u009b', '\u2028', '\u202e'])
    assert.ok(!stdout.includes(rule), JSON.stringify(rule));
});

test('nothing but these writes to the standard streams: all else goes through a screen or as JSON', () => {
  const root = fileURLToPath(new URL('../../../src', import.meta.url));
  const writers = readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .flatMap((name) => {
      const text = readFileSync(join(root, name), 'utf8');
      const writes = text.match(/(?:process\.std\w+|stream)\.write\([^;]*|console\.\w+\(/g) ?? [];
      return writes.filter((one) => !/jsonText\(/.test(one)).map((one) => `${name}: ${one.slice(0, 60)}`);
    });
  const known = [
    // YAML has escapes for what a terminal would obey.
    /^cli\/config\.ts: process\.stdout\.write\(await yamlText\(/,
    // Lines that `harmless` has cleaned, in the statement before.
    /^output\/screen\.ts: stream\.write\(shown\.map\(\(line\) => `\$\{this\.#paint\(line, tone\)/,
    // An example in its documentation.
    /^index\.ts: console\.log\(/,
    // Where nothing else can be imported: texts of its own, and the system's about its own files.
    /^cli\/main\.ts: process\.(?:stderr\.write\(`seed-database: |stdout\.write\(`\$\{JSON\.stringify\(failure\))/,
    // Numbers alone, drawn over.
    /^cli\/terminal\.ts: stream\.write\(/,
    // The program's own texts.
    /^cli\/program\.ts: process\.stdout\.write\((?:completionScript|`\$\{TOPICS)/,
    // In one line each.
    /^cli\/run\.ts: process\.(?:stdout\.write\(''|stderr\.write\(`\$\{inCharacters\(line\))/,
    // YAML with its escapes.
    /^cli\/fleet\.ts: process\.stdout\.write\(format === 'yaml'/,
  ];
  assert.deepEqual(
    writers.filter((one) => !known.some((allowed) => allowed.test(one.replaceAll('\\', '/')))),
    [],
  );
});
