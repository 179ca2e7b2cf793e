/** What is said where a load fails, and what is never said. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { CONTROL_CODE } from '../support/cli.js';
import { FULL_DISK as FULL, LOAD, SUMMARY, tell } from '../support/reporting.js';

const folder = mkdtempSync(join(tmpdir(), 'seed-database-failure-'));
after(() => rmSync(folder, { recursive: true }));
const logFile = join(folder, 'load.log');

test('a failure: the cause and the way out on standard error, in every way of reporting', async () => {
  const fail = (reporter: { fail(failure: typeof FULL): void }) => reporter.fail(FULL);
  for (const settings of [{}, { quiet: true }, { json: true }, { json: true, quiet: true }]) {
    const { stdout, stderr } = await tell({ logFile, ...settings }, fail, { connectionFlags: ' --host h' });
    assert.match(
      stderr,
      /❌ the server has no disk space left\n {3}└── make room; then continue with: seed-database --resume --host h\n$/,
    );
    assert.doesNotMatch(stderr, CONTROL_CODE);
    if ('json' in settings) {
      assert.deepEqual(JSON.parse(stdout), {
        status: 'failed',
        exitStatus: 6,
        error: 'the server has no disk space left',
        remedy: 'make room; then continue with: seed-database --resume --host h',
      });
    } else if ('quiet' in settings) {
      assert.equal(stdout, '');
    } else {
      assert.match(stdout, /\n {3}└── \[█{20}\] 100% \(1,895,180\/1,895,180\)\n$/, 'the tree is closed');
    }
  }
});

test('a failure before there is a run, or of one that others have, says nothing of resuming', async () => {
  const stderrOf = async (failure: typeof FULL, events: typeof LOAD) =>
    (await tell({ logFile }, (reporter) => reporter.fail(failure), { events })).stderr;
  assert.equal(await stderrOf(FULL, []), '❌ the server has no disk space left\n   └── make room\n');
  assert.doesNotMatch(await stderrOf({ ...FULL, exitStatus: 5 }, LOAD), /--resume/);
  assert.doesNotMatch(await stderrOf({ ...FULL, exitStatus: 2 }, LOAD), /--resume/);
  const told = await stderrOf({ ...FULL, remedy: 'make room, then --resume' }, LOAD);
  assert.match(told, /make room, then continue with: seed-database --resume\n$/);
});

test('secrets are taken out of notices', async () => {
  const mask = (text: string) => text.replaceAll('hunter2', '****');
  const { stdout } = await tell({ logFile }, (reporter) => reporter.finish(SUMMARY), {
    events: [{ type: 'notice', level: 'warning', message: 'server says hunter2' }],
    mask,
  });
  assert.match(stdout, /server says \*\*\*\*/);
});
