/** The blocks of docs/library.md are one program, and it runs. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import * as library from '../../src/index.js';
import { startTestServer } from '../support/server.js';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

test('docs/library.md names every function of the library, and its program runs', async () => {
  const text = readFileSync(join(ROOT, 'docs/library.md'), 'utf8');
  for (const [name, value] of Object.entries(library)) {
    const isFunction = typeof value === 'function' && /^[a-z]/.test(name);
    if (isFunction && !['instantOf', 'minuteOf', 'openReader', 'planLoad'].includes(name)) {
      assert.match(text, new RegExp(`\\b${name}\\b`), name);
    }
  }
  const blocks = [...text.matchAll(/```js\n([\s\S]*?)```/g)].map(([, code]) => code);
  assert.ok(blocks.length >= 5);
  const server = await startTestServer();
  // Inside the project, where the package finds itself by its name.
  const folder = mkdtempSync(join(ROOT, 'dist', 'library-'));
  try {
    const uri = `mongodb://127.0.0.1:${server.port}/shown`;
    const given = `const uri = ${JSON.stringify(uri)};\nconst folder = ${JSON.stringify(join(folder, 'out'))};\n`;
    const program = join(folder, 'program.mjs');
    writeFileSync(program, given + blocks.join('\n'));
    const { stdout } = await promisify(execFile)(process.execPath, [program]);
    assert.match(stdout, /^complete 947590 buckets$/m);
    assert.match(stdout, /^equal [0-9a-f]{16}$/m);
    const morning = { start: new Date('2025-02-09'), end: new Date('2025-02-09T06:00:00Z') };
    const added = library.plan({ ...morning, seed: 42 }).records;
    assert.match(stdout, new RegExp(`^complete ${added}$`, 'm'));
  } finally {
    rmSync(folder, { recursive: true, force: true });
    await server.stop();
  }
});
