/** The files in `examples` can be read, and the program takes the command lines in them. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { runCli } from '../support/cli.js';

const ROOT = fileURLToPath(new URL('../../../examples', import.meta.url));
const read = (path: string) => parse(readFileSync(join(ROOT, path), 'utf8'));

async function assertTaken(args: readonly string[]): Promise<void> {
  const { status, stderr } = await runCli([...args, '--dry-run']);
  assert.equal(status, 0, `${args.join(' ')}: ${stderr}`);
}

test('compose: the seeding service', async () => {
  const { services } = read('docker/compose.yaml');
  await assertTaken(services.seed.command);
  await assert.rejects(assertTaken([...services.seed.command, '--dys', '7']), /unknown option/);
});

test('Kubernetes: every index is a part', async () => {
  const { spec } = read('kubernetes/indexed-job.yaml');
  const [line] = spec.template.spec.containers[0].args as string[];
  for (let index = 0; index < spec.completions; index++) {
    const args = line.replace('$((JOB_COMPLETION_INDEX + 1))', String(index + 1)).split('main.js ')[1];
    assert.match(args, new RegExp(`--parts ${spec.completions} `));
    await assertTaken(args.trim().split(/\s+/));
  }
});

test('GitHub Actions: the seeding step', async () => {
  const { jobs } = read('github-actions/seed.yaml');
  const steps = jobs.test.steps as { run?: string }[];
  const line = steps.find(({ run }) => run?.includes('seed -- '))?.run ?? '';
  await assertTaken(line.split(' seed -- ')[1].split(' > ')[0].split(/\s+/));
});
