/** Completion, in the shells themselves. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { runCli } from '../support/cli.js';

async function scriptFor(shell: string): Promise<string> {
  const { status, stdout, stderr } = await runCli(['completion', shell]);
  assert.equal(status, 0, stderr);
  return stdout;
}

const hasShell = (shell: string) => spawnSync(shell, ['-c', 'exit 0']).status === 0;

/**
 * Each line of words, the last of which is being typed, and what is offered for it among others; or
 * nothing but.
 */
const OFFERS: readonly (readonly [line: string, offered: readonly string[], exactly?: boolean])[] = [
  ['sta', ['status'], true],
  ['--lay', ['--layout'], true],
  ['load --layout ', ['flat', 'timeseries'], true],
  ['verify --rep', ['--repair'], true],
  ['export --format p', ['parquet'], true],
  ['export --format ', ['bson', 'ndjson', 'csv', 'parquet'], true],
  ['fleet --format ', ['yaml', 'json'], true],
  ['--json fleet --format y', ['yaml'], true],
  ['load --ver', ['--version'], true],
  ['status --cl', [], true],
  ['load --days ', [], true],
  ['help tr', ['troubleshooting'], true],
  ['completion ', ['bash', 'zsh', 'fish']],
  ['--seed 42 --json verify --seed 4', [], true],
];

function check(offersFor: (words: readonly string[]) => string[]): void {
  for (const [line, offered, exactly] of OFFERS) {
    const offers = offersFor(line.split(' ')).sort();
    if (exactly) assert.deepEqual(offers, [...offered].sort(), line);
    else for (const one of offered) assert.ok(offers.includes(one), `${line}: ${offers}`);
  }
}

test('bash', async () => {
  const script = await scriptFor('bash');
  check((words) => {
    const quoted = ['seed-database', ...words].map((word) => `'${word}'`).join(' ');
    const asked = `COMP_WORDS=(${quoted}); COMP_CWORD=${words.length}; _seed_database; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const { stdout, stderr } = spawnSync('bash', ['-c', `${script}\n${asked}`], { encoding: 'utf8' });
    assert.equal(stderr, '');
    return stdout.split('\n').filter((one) => one !== '');
  });
});

test('zsh, or where it is not installed that the script is there', async () => {
  const script = await scriptFor('zsh');
  assert.match(script, /^#compdef seed-database\n/);
  if (!hasShell('zsh')) return;
  check((words) => {
    // What the completion system would keep of what it is offered: that which begins with the word.
    const offer = `compdef() { : }; _files() { : }; compadd() { shift; print -l -- \${(M)@:#\${words[CURRENT]}*} }`;
    const quoted = ['seed-database', ...words].map((word) => `'${word}'`).join(' ');
    const asked = `words=(${quoted}); CURRENT=${words.length + 1}; _seed_database`;
    const { stdout, stderr } = spawnSync('zsh', ['-f', '-c', `${offer}\n${script}\n${asked}`], {
      encoding: 'utf8',
    });
    assert.equal(stderr, '');
    return stdout.split('\n').filter((one) => one !== '');
  });
});

test('fish, or where it is not installed that the script is there', async () => {
  const script = await scriptFor('fish');
  assert.match(script, /^complete -c seed-database -f\n/);
  if (!hasShell('fish')) return;
  check((words) => {
    const line = `seed-database ${words.join(' ')}`;
    const { stdout, stderr } = spawnSync('fish', ['--no-config', '-c', `${script}\ncomplete -C '${line}'`], {
      encoding: 'utf8',
    });
    assert.equal(stderr, '');
    return stdout.split('\n').flatMap((one) => one.split('\t')[0] || []);
  });
});

test('another shell is refused with those that there are', async () => {
  const { status, stderr } = await runCli(['completion', 'tcsh']);
  assert.equal(status, 2);
  assert.match(stderr, /bash, zsh, fish/);
});
