/** Characters that every terminal has, and lines that narrow ones do not break. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { fold, toAscii, widthOf } from '../../src/output/width.js';

test('what the program draws has a likeness in ASCII that is as wide', () => {
  for (const [drawn, plain] of [
    ['✅ Connected', 'OK Connected'],
    ['❌ it broke', '!! it broke'],
    ['⚠️  careful', '!  careful'],
    ['🎯 done', '=> done'],
    ['📊 Figures', '== Figures'],
    ['   ├── [███░░] 60%', '   |-- [###..] 60%'],
    ['   │   └── a → b · c…', '   |   `-- a - b - c~'],
    ['▁▂▃▄▅▆▇█', '_.:-=+*#'],
    ['Caffè Zürich', 'Caffe Zurich'],
    ['東京', '????'],
  ]) {
    assert.equal(toAscii(drawn), plain);
    assert.equal(widthOf(plain), widthOf(drawn), drawn);
  }
});

test('whatever a text holds, what is left is ASCII, and ASCII is left as it is', () => {
  fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => /^[\0-\x7f]*$/.test(toAscii(text))));
  fc.assert(fc.property(fc.string({ unit: 'grapheme-ascii' }), (text) => toAscii(text) === text));
});

test('a line is folded between words, under its own text', () => {
  assert.deepEqual(fold('   ├── one two three four', 16), ['   ├── one two', '   │   three', '   │   four']);
  assert.deepEqual(fold('   └── one two three', 16), ['   └── one two', '       three']);
  assert.deepEqual(fold('✅ one two three', 13), ['✅ one two', '   three']);
  assert.deepEqual(fold('one two three', 8), ['one two', 'three']);
  assert.deepEqual(fold('short', 80), ['short']);
});

test('a command to be copied stays whole', () => {
  const command = 'seed-database --resume --database a-rather-long-name';
  assert.deepEqual(fold(`🎯 Continue with: ${command}`, 30), ['🎯 Continue with:', `   ${command}`]);
  assert.deepEqual(fold(`   ├── Check: ${command}`, 30), ['   ├── Check:', `   │   ${command}`]);
});
