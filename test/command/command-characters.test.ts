/** Terminals without emoji and lines: everything that people read is in plain characters there. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HOUR, runCli } from '../support/cli.js';
import { withFolder } from '../support/config.js';
import { useServer } from '../support/loading.js';

const file = useServer();
const BEYOND_ASCII = /[^\0-\x7f]/u;

const PLAIN: readonly (readonly [env: Record<string, string>, flags: readonly string[]])[] = [
  [{ LC_ALL: 'C', LANG: 'en_US.UTF-8' }, []],
  [{ LANG: 'C' }, []],
  [{ LC_CTYPE: 'en_US.ISO-8859-1', LANG: 'C.UTF-8' }, []],
  [{ LANG: 'C.UTF-8', TERM: 'linux' }, []],
  [{ LANG: 'C.UTF-8' }, ['--ascii']],
];

test('every command prints plain characters alone', async () => {
  await withFolder({}, async (cwd) => {
    const target = ['--uri', file.server.uri, '--database', file.freshDatabase()];
    const commands = [
      [...HOUR, ...target],
      [...HOUR, ...target],
      ['status', ...target],
      ['verify', ...target],
      ['doctor', ...target],
      ['report', ...target],
      ['preview', '--seed', '1', '--days', '1'],
      ['export', ...HOUR, '--assets-only', '--out', 'exported', '--clean'],
      ['load', '--help'],
      ['config'],
      ['load', '--days', '0'],
      [...HOUR, '--dry-run'],
    ];
    for (const [index, args] of commands.entries()) {
      const [env, flags] = PLAIN[index % PLAIN.length];
      const { stdout, stderr } = await runCli([...args, ...flags], { cwd, env });
      assert.notEqual(stdout + stderr, '');
      assert.doesNotMatch(stdout + stderr, BEYOND_ASCII, `${args.join(' ')} ${JSON.stringify(env)}`);
    }
  });
});

test('the first of LC_ALL, LC_CTYPE and LANG decides, and none of them is no reason', async () => {
  const preview = async (env: Record<string, string>, ...flags: string[]) =>
    BEYOND_ASCII.test((await runCli(['preview', '--seed', '1', '--days', '1', ...flags], { env })).stdout);
  for (const [env, flags] of PLAIN) assert.equal(await preview(env, ...flags), false, JSON.stringify(env));
  const unicode: Record<string, string>[] = [
    {},
    { LC_ALL: 'C.utf8', LANG: 'C' },
    { LC_ALL: '', LANG: 'en_US.UTF-8' },
  ];
  for (const env of unicode) {
    assert.equal(await preview(env), true, JSON.stringify(env));
  }
});
