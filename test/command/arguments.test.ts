/** The command line of the built program: what it prints, and the status it ends with. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { CLI_ENTRY, runCli } from '../support/cli.js';
import { withFolder } from '../support/config.js';

/** Wrong command lines, and what their one line on standard error must hold. */
const USAGE: readonly [readonly string[], RegExp][] = [
  [['--dayz', '3'], /unknown option '--dayz' \(Did you mean --days\?\)/],
  [['--days', '0'], /--days 0: must be a whole number from 1 to 36500/],
  [['--days', '-1'], /--days -1: must be a whole number from 1 to 36500/],
  [['--days=1e9'], /--days 1e9: must be a whole number from 1 to 36500/],
  [['--days', 'abc'], /--days abc: must be a whole number from 1 to 36500/],
  [['--days'], /'--days <n>' argument missing/],
  [['load', '--batch-size', '0'], /--batch-size 0: must be a whole number from 1 to 100000/],
  [['--end', '2025-02-30'], /--end 2025-02-30: must be a date/],
  [['--clean', '--resume'], /--clean and --resume/],
  [
    ['statu'],
    /unknown command 'statu': must be load, status, doctor, verify, preview, report, refresh, follow, export, answers, workload, serve, fleet, config/,
  ],
  [['load', 'x'], /too many arguments for 'load'/],
  [['fleet', 'x'], /too many arguments for 'fleet'/],
  [['fleet', '--format', 'xml'], /--format xml: must be yaml, json/],
  [['status', '--days', '3'], /unknown option '--days'/],
  [['--days', '3', 'status'], /--days has no meaning for the command status/],
  [['serve', '--port', '70000'], /--port 70000: must be a whole number from 1 to 65535/],
  [['config', '--uri', 'localhost'], /--uri localhost: must be a connection string/],
  [
    ['status', '--uri', 'mongodb://u:hun@ter2@h'],
    /--uri mongodb:\/\/\*\*\*\*@h: must be a connection string/,
  ],
  [['--password=hunter2'], /unknown option '--password'/],
];

for (const [args, expected] of USAGE) {
  test(`usage: ${args.join(' ')}`, async () => {
    const { status, stdout, stderr } = await runCli(args);
    assert.equal(stdout, '');
    assert.match(stderr, /^❌ (?!error)[^\n]+\n$/);
    assert.match(stderr, expected);
    assert.doesNotMatch(stderr, /hun@?ter2/);
    assert.equal(status, 2);
  });
}

test('--help names every exit status, groups the flags, and fits 80 columns', async () => {
  const { status, stdout, stderr } = await runCli(['--help']);
  assert.equal(status, 0);
  assert.equal(stderr, '');
  for (const code of [0, 1, 2, 3, 4, 5, 6, 130]) assert.match(stdout, new RegExp(`^  ${code} +[a-z]`, 'm'));
  for (const heading of ['Dataset:', 'Speed:', 'Connection:', 'Output:', 'Load:', 'Look:', 'Examples:']) {
    assert.ok(stdout.includes(`\n${heading}\n`), heading);
  }
  for (const line of stdout.split('\n')) assert.ok(line.length <= 80, line);
});

test('--version and -V print the version alone, -h what --help does, of the program and of every command', async () => {
  const known = (await runCli(['--help'])).stdout.match(/^ {2}\w+(?= )/gm)?.map((name) => name.trim()) ?? [];
  assert.ok(known.includes('load') && known.includes('help'), String(known));
  for (const command of [[], ['load'], ['fleet'], ['completion'], ['help'], ['export']]) {
    for (const flag of ['--version', '-V']) {
      const { status, stdout, stderr } = await runCli([...command, flag]);
      assert.match(stdout, /^\d+\.\d+\.\d+\n$/);
      assert.deepEqual([status, stderr], [0, '']);
    }
    const [short, long] = [await runCli([...command, '-h']), await runCli([...command, '--help'])];
    assert.match(short.stdout, /^Usage: seed-database/);
    assert.deepEqual(short, long);
  }
});

test('--help and usage errors load neither the driver nor the validation', async () => {
  // A coverage report lists every script that the process loaded; libraries are in bundles, where
  // they are known by their text.
  const loaded = async (args: readonly string[]) => {
    let report = '';
    await withFolder({}, async (folder) => {
      await runCli(args, { env: { NODE_V8_COVERAGE: folder } });
      for (const name of readdirSync(folder)) report += readFileSync(join(folder, name), 'utf8');
    });
    const scripts = report.match(/file:[^"]+/g) ?? [];
    const code = scripts.map((url) => readFileSync(new URL(url), 'utf8')).join('');
    return { zod: code.includes('_zod.def'), mongodb: code.includes('node_modules/mongodb/lib') };
  };
  assert.deepEqual(await loaded(['--help']), { zod: false, mongodb: false });
  assert.deepEqual(await loaded(['--dayz']), { zod: false, mongodb: false });
  // The same look at a command that needs one of them: it can tell.
  assert.deepEqual(await loaded(['config']), { zod: true, mongodb: false });
});

test('config: flags before and after the command, environment, .env and defaults, secrets masked', async () => {
  const env = { MONGODB_USERNAME: 'pmi', MONGODB_PASSWORD: 'hunter2', MONGODB_DATABASE: 'by_environment' };
  await withFolder({ '.env': 'MONGODB_DATABASE=by_file\nMONGODB_HOST=db.example\n' }, async (cwd) => {
    const { status, stdout, stderr } = await runCli(['--days', '3', 'config', '--json', '--seed', '42'], {
      env,
      cwd,
    });
    assert.equal(status, 0, stderr);
    assert.ok(!stdout.includes('hunter2'));
    const { settings, connection } = JSON.parse(stdout) as {
      settings: { name: string; value: string | null; source: string }[];
      connection: { uri: string; database: string };
    };
    assert.deepEqual(connection, {
      uri: 'mongodb://pmi:****@db.example:27017/by_environment?authSource=admin',
      database: 'by_environment',
    });
    const shown = (name: string) => {
      const { value, source } = settings.find((setting) => setting.name === name) ?? {};
      return [value, source];
    };
    assert.deepEqual(shown('days'), ['3', 'flag --days']);
    assert.deepEqual(shown('seed'), ['42', 'flag --seed']);
    assert.deepEqual(shown('database'), ['by_environment', 'environment MONGODB_DATABASE']);
    assert.deepEqual(shown('host'), ['db.example', '.env, line 2']);
    assert.deepEqual(shown('password'), ['****', 'environment MONGODB_PASSWORD']);
    assert.deepEqual(shown('batchSize'), ['1000', 'default']);
    // What nobody has given follows from the rest, as a load would have it: three days are 406,110
    // records.
    const cores = availableParallelism();
    const why = cores > 5 ? 'derived: enough for 406110 records' : `derived: all cores (${cores})`;
    assert.deepEqual(shown('workers'), [String(Math.min(cores, 5)), why]);
    assert.deepEqual(shown('shardDays'), ['7', 'derived: the default of a plan']);
    assert.match(String(shown('end')[0]), /^\d{4}-\d\d-\d\dT00:00:00\.000Z$/);
    assert.deepEqual(shown('start')[1], 'derived: --end less 3 days');
    assert.match(String(shown('logFile')[0]), /^logs.seed_database_\d{8}_\d{6}\.log$/);
    assert.deepEqual(shown('timezone'), ['UTC', 'derived: of the default fleet']);
    const small = await runCli(['config', '--assets-only', '--resume', '--json'], { cwd });
    const of = (name: string) =>
      (JSON.parse(small.stdout) as { settings: { name: string; value: string }[] }).settings.find(
        (setting) => setting.name === name,
      )?.value;
    assert.deepEqual([of('seed'), of('start')], ['of the run', 'of the run']);

    const table = await runCli(['config', '--uri', 'mongodb://u:hunter2@h/x'], { env: {}, cwd });
    assert.match(table.stdout, /^MONGODB_URI +mongodb:\/\/u:\*\*\*\*@h\/x +flag --uri$/m);
    assert.ok(!table.stdout.includes('hunter2'));
  });
});

test('a corrupt .env ends with status 2, the file and the line, and never the value', async () => {
  await withFolder({ '.env': 'MONGODB_HOST=localhost\nMONGODB_PASSWORD hunter2\n' }, async (cwd) => {
    for (const args of [[], ['status'], ['config']]) {
      const { status, stdout, stderr } = await runCli(args, { cwd });
      assert.match(stderr, /^❌ \S*\.env, line 2: [^\n]+\n$/);
      assert.doesNotMatch(stderr + stdout, /hunter2/);
      assert.equal(status, 2);
    }
  });
});

test('fleet prints the same fleet as YAML and as JSON', async () => {
  const [yaml, json] = await Promise.all([runCli(['fleet']), runCli(['fleet', '--format', 'json'])]);
  assert.equal(yaml.status, 0, yaml.stderr);
  const fleet = JSON.parse(json.stdout) as { machines: { services?: unknown[] }[]; jobs: unknown[] };
  const services = fleet.machines.flatMap((machine) => machine.services ?? []);
  assert.deepEqual([fleet.machines.length, services.length, fleet.jobs.length], [10, 22, 2]);
  const { parse } = await import('yaml');
  assert.deepEqual(parse(yaml.stdout), fleet);
});

test('a reader that goes away is no stack trace', async () => {
  const child = spawn(process.execPath, [CLI_ENTRY, 'config', '--json'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  child.stdout.destroy();
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const status = await new Promise((resolve) => child.once('close', resolve));
  assert.equal(stderr, '');
  assert.equal(status, 0);
});

test('what is misspelt is met with what may have been meant', async () => {
  for (const [args, meant] of [
    [['statsu'], /unknown command 'statsu': .+; did you mean status\?/],
    [['--dys', '7'], /unknown option '--dys' \(Did you mean --days\?\)/],
    [['verify', '--repiar'], /unknown option '--repiar' \(Did you mean --repair\?\)/],
    [['--layout', 'timeserie'], /--layout timeserie: must be flat, timeseries; did you mean timeseries\?/],
    [['export', '--format', 'parqet'], /--format parqet: must be .+; did you mean parquet\?/],
    [['completion', 'bsh'], /shell bsh: must be bash, zsh, fish; did you mean bash\?/],
    [['help', 'trubleshooting'], /unknown topic 'trubleshooting': .+; did you mean troubleshooting\?/],
    [['help', 'verfy'], /; did you mean verify\?/],
  ] as const) {
    const { status, stdout, stderr } = await runCli(args);
    assert.equal(status, 2, args.join(' '));
    assert.equal(stdout, '');
    assert.match(stderr, meant);
    assert.equal(stderr.trimEnd().split('\n').length, 1, stderr);
  }
});

test('help troubleshooting has the five cases and every exit status of a failure, in 80 columns', async () => {
  const { status, stdout } = await runCli(['help', 'troubleshooting']);
  assert.equal(status, 0);
  for (const title of [
    'cannot connect',
    'cannot authenticate',
    'Memory runs out',
    'disk is full',
    'was interrupted',
  ])
    assert.match(stdout, new RegExp(`^\\d\\. .*${title}`, 'm'));
  for (const exit of [1, 2, 3, 4, 5, 6, 130])
    assert.match(stdout, new RegExp(`exit status ${exit}\\b`), `${exit}`);
  for (const line of stdout.split('\n')) assert.ok(line.length <= 80, line);
});

test('every command has an example, and help of it says the same as --help', async () => {
  const { stdout: all } = await runCli(['--help']);
  const commands = [...all.matchAll(/^ {2}([a-z]+) \[options\]|^ {2}(completion) /gm)].map(
    ([, one, other]) => one ?? other,
  );
  assert.ok(commands.length >= 13, commands.join());
  await Promise.all(
    commands.map(async (command) => {
      const [help, flag] = await Promise.all([runCli(['help', command]), runCli([command, '--help'])]);
      assert.equal(help.status, 0);
      assert.equal(help.stdout, flag.stdout);
      assert.match(help.stdout, new RegExp(`^Examples:\\n {2}.*seed-database ${command}`, 'm'));
      for (const line of help.stdout.split('\n')) assert.ok(line.length <= 82, line);
    }),
  );
});

for (const [flag, shown] of [
  ['--password', '--password'],
  ['--passwd=hunter2', '--passwd'],
  ['-phunter2', '-p'],
]) {
  test(`${flag} points to the variables, and shows no password`, async () => {
    const { status, stdout, stderr } = await runCli(['status', flag, 'hunter2']);
    assert.deepEqual([status, stdout], [2, '']);
    assert.match(
      stderr,
      new RegExp(`^❌ unknown option '${shown}': .*MONGODB_PASSWORD, .*MONGODB_PASSWORD_FILE`),
    );
    assert.doesNotMatch(stderr, /hunter2/);
  });
}

test('what something else keeps open does not keep the program, nor change how it ended', async () => {
  const env = { NODE_OPTIONS: '--import=data:text/javascript,setInterval(()=>undefined,1e6)' };
  const started = performance.now();
  const good = await runCli(['preview', '--days', '1', '--json'], { env, timeoutMs: 30_000 });
  assert.equal(good.status, 0, good.stderr);
  JSON.parse(good.stdout);
  const bad = await runCli(['--days', '0'], { env, timeoutMs: 30_000 });
  assert.equal(bad.status, 2, bad.stderr);
  assert.ok(performance.now() - started < 30_000);
});
