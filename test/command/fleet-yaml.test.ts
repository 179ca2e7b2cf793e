/**
 * Fleet files as people and their tools write them: merge keys, aliases, encodings, and all that is
 * wrong at once.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { ExitStatus, SeedError } from '../../src/errors.js';
import type { FleetFile } from '../../src/fleet/file.js';
import { checkFleet, parseFleet, readFleetFile } from '../../src/fleet/read.js';
import { storedBytes } from '../../src/fleet/schema.js';
import { runCli } from '../support/cli.js';

const FOLDER = mkdtempSync(join(tmpdir(), 'seed-database-fleets-'));
after(() => rmSync(FOLDER, { recursive: true, force: true }));

function fileOf(name: string, content: string | Uint8Array): string {
  const path = join(FOLDER, name);
  writeFileSync(path, content);
  return path;
}

/** What is refused, as a mistake of usage; all lines of it. */
function refusal(read: () => unknown): string[] {
  try {
    read();
  } catch (error) {
    assert.ok(error instanceof SeedError, String(error));
    assert.equal(error.exitStatus, ExitStatus.usage);
    const lines = [error.message, ...error.details];
    for (const line of lines) assert.doesNotMatch(line, /\n/);
    return lines;
  }
  return assert.fail('it was taken');
}

const MACHINE = { id: 'a', type: 'vm', hostname: 'A', pattern: 'stable_low_load' } as const;
const ONE = 'machines:\n  - { id: a, type: vm, hostname: A, pattern: stable_low_load }\n';

test('merge keys: fields of a base, of several, written over, and again in a base', () => {
  const text = `machines:
  - &base
    id: base
    type: vm
    hostname: BASE
    pattern: stable_low_load
    data: &data { cpu_cores: 4 }
  - { <<: *base, id: second, hostname: SECOND }
  - &third
    id: third
    <<: *base
    data: { <<: *data, memory_gb: 8 }
  - <<: [*third, *base]
    id: fourth
`;
  const [base, second, third, fourth] = parseFleet(text, 'x').machines;
  assert.deepEqual(second, { ...base, id: 'second', hostname: 'SECOND' });
  assert.deepEqual(third, { ...base, id: 'third', data: { cpu_cores: 4, memory_gb: 8 } });
  assert.deepEqual(fourth, { ...third, id: 'fourth' });
});

test('thousands of machines may share a base', () => {
  const more = Array.from({ length: 3000 }, (_, i) => `  - { <<: *base, id: m-${i} }\n`).join('');
  const text = `machines:\n  - &base { id: base, type: vm, hostname: B, pattern: stable_low_load }\n${more}`;
  assert.equal(parseFleet(text, 'x').machines.length, 3001);
});

test('a mistake in what is merged is named with the line that it stands in', () => {
  const text = `machines:
  - &base
    id: base
    type: vmm
    hostname: B
    pattern: stable_low_load
  - { <<: *base, id: second }
`;
  const lines = refusal(() => parseFleet(text, 'x'));
  assert.match(
    lines[0],
    /^fleet x, line 4: machines\[0\]\.type "vmm" must be .+; did you mean vm\? \(and 1 more\)$/,
  );
  assert.match(lines[1], /^line 4: machines\[1\]\.type "vmm" must be/);
});

const laughs = (levels: number) => {
  const level = (i: number) =>
    `  l${i}: &l${i} [${Array.from({ length: 10 }, () => `*l${i - 1}`).join(', ')}]\n`;
  return `x:\n  l0: &l0 "ha ha ha ha"\n${Array.from({ length: levels }, (_, i) => level(i + 1)).join('')}`;
};

const TOO_LARGE: readonly (readonly [name: string, read: () => unknown, size: RegExp])[] = [
  ['aliases of aliases', () => parseFleet(laughs(9), 'x'), /expands to \d+\.\d GB; .+ at most 16 MB$/],
  ['beyond all measure', () => parseFleet(laughs(60), 'x'), /expands to \S+ TB; /],
  [
    'merged again and again',
    () => {
      const fields = Array.from({ length: 1_000 }, (_, i) => `f${i}: 1`).join(', ');
      return parseFleet(`x:\n - &a {${fields}}\n${' - { <<: *a }\n'.repeat(10_000)}`, 'x');
    },
    /expands to \d+\.\d MB/,
  ],
  [
    'an object',
    () => checkFleet({ machines: [{ ...MACHINE, data: { notes: 'x'.repeat(17e6) } }] }, 'as given'),
    /^fleet as given expands to 16\.2 MB/,
  ],
];

for (const [name, read, size] of TOO_LARGE) {
  test(`more than a run can store is refused with its size, at once: ${name}`, () => {
    const started = performance.now();
    assert.match(refusal(read)[0], size);
    assert.ok(performance.now() - started < 10_000);
  });
}

test('the size is that of the stored document', async () => {
  const { BSON } = await import('mongodb');
  const file: FleetFile = {
    timezone: 'Europe/Rome',
    machines: [
      { ...MACHINE, hostname: 'Ä', data: { cores: 4, big: 2 ** 40, load: 0.5, on: true, tags: ['x', 'y'] } },
    ],
  };
  assert.equal(storedBytes(file), BSON.calculateObjectSize(file));
});

/** Each with what its one line says. */
const BROKEN: readonly (readonly [name: string, text: string, line: RegExp])[] = [
  ['nothing', '', /^fleet x: it is empty$/],
  ['comments alone', '# nothing yet\n', /^fleet x: it is empty$/],
  ['two documents', `${ONE}---\n${ONE}`, /^fleet x, line 3: another document begins here; a fleet is one/],
  ['a tab', 'machines:\n\t- id: a\n', /^fleet x, line 2: Tabs are not allowed as indentation/],
  ['a key twice', `${ONE}machines: []\n`, /^fleet x, line 3: Map keys must be unique/],
  ['an alias of nothing', `${ONE}jobs: *none\n`, /^fleet x, line 3: .*stands for nothing/],
  [
    'an alias of itself',
    'machines: &m\n  - *m\n',
    /^fleet x, line 2: \*m stands for something that it is in$/,
  ],
  ['a merge of no fields', 'machines:\n  - { <<: 7, id: a }\n', /^fleet x, line 2: << must be followed by/],
  ['depth', '['.repeat(200_000), /^fleet x(?:, line \d+)?: \S/],
  ['a list', '- a\n- b\n', /^fleet x, line 1: must be a fleet: machines, and jobs$/],
  ['a key that is a list', `${ONE}? [a, b]\n: c\n`, /^fleet x, line 3: .+ is no field that there is/],
  ['a prototype', `${ONE}__proto__: { a: 1 }\n`, /^fleet x, line 3: __proto__ is no field that there is/],
];

for (const [name, text, line] of BROKEN) {
  test(`one clear line: ${name}`, () => {
    const warnings: Error[] = [];
    const listen = (warning: Error) => warnings.push(warning);
    process.on('warning', listen);
    assert.match(refusal(() => parseFleet(text, 'x'))[0], line);
    process.off('warning', listen);
    assert.deepEqual(warnings, []);
  });
}

test('a file is read in the encodings that editors and shells write', () => {
  const text = `machines:\r\n  - { id: a, type: vm, hostname: "Größe", pattern: stable_low_load }\r\n`;
  const big = Buffer.from(`\ufeff${text}`, 'utf16le').swap16();
  for (const [name, bytes] of [
    ['plain', Buffer.from(text)],
    ['utf-8-mark', Buffer.from(`\ufeff${text}`)],
    ['utf-16-little', Buffer.from(`\ufeff${text}`, 'utf16le')],
    ['utf-16-big', big],
  ] as const) {
    assert.equal(readFleetFile(fileOf(name, bytes)).machines[0].hostname, 'Größe', name);
  }
  const own = fileOf('replacement', ONE.replace('A,', '"\ufffd",'));
  assert.equal(readFleetFile(own).machines[0].hostname, '\ufffd');
});

test('what is no text, no file, or an encoding without a mark is one clear line', () => {
  const latin = fileOf('latin-1', Buffer.from(ONE.replace('A,', '"Größe",'), 'latin1'));
  assert.match(refusal(() => readFleetFile(latin))[0], /latin-1, line 2: this is no text in UTF-8$/);
  const unmarked = fileOf('unmarked', Buffer.from(ONE, 'utf16le'));
  assert.match(refusal(() => readFleetFile(unmarked))[0], /unmarked, line 1: this is no text in UTF-8$/);
  assert.match(refusal(() => readFleetFile(FOLDER))[0], /^--fleet \S+ is a folder$/);
  assert.match(refusal(() => readFleetFile('/dev/zero'))[0], /^--fleet \/dev\/zero is no file$/);
});

/** Mistakes of several kinds: of shape, of names that are not there, a key twice. */
const MANY = `timezone: Europe/Roma
machines:
  - id: web-server
    type: vmm
    hostnam: WEB
    patern: stable_low_load
    data: { cpu_cores: null }
    services:
      - { id: web-server, name: W, type: web, port: 0, port: 70000 }
jobs:
  - { id: job, name: J, schedule: daily, type: full, retention_days: 1, targets: [web-sever] }
`;

test('all mistakes of a file are shown, each in a line with its place and the near name', async () => {
  const expected = [
    /^ *line 9: Map keys must be unique/,
    /^ *line 4: machines\[0\]\.type "vmm" must be one of .+; did you mean vm\?/,
    /^ *line 7: machines\[0\]\.data\.cpu_cores null must be a text, a number/,
    /^ *line 9: machines\[0\]\.services\[0\]\.port 70000 must be a whole number/,
    /^ *line 5: machines\[0\]\.hostnam is no field that there is; did you mean hostname\?/,
    /^ *line 6: machines\[0\]\.patern is no field that there is; did you mean pattern\?/,
    /^ *line 11: jobs\[0\]\.schedule "daily" must be one of daily_2am, weekly_sunday_1am/,
    /^ *line 3: machines\[0\]\.hostname is missing/,
    /^ *line 3: machines\[0\]\.pattern is missing/,
    /^ *line 1: timezone "Europe\/Roma" must be an IANA time zone/,
    /^ *line 9: machines\[0\]\.services\[0\]\.id "web-server" is the id of another machine already/,
    /^ *line 11: jobs\[0\]\.targets\[0\] "web-sever" is no machine of the fleet; did you mean web-server\?/,
  ];
  const path = fileOf('many.yaml', MANY);
  for (const args of [
    ['fleet', '--fleet', path],
    ['load', '--fleet', path, '--log-file', '/dev/null'],
  ]) {
    const { status, stderr } = await runCli(args);
    assert.equal(status, 2);
    const lines = stderr.trimEnd().replace(`❌ fleet ${path}, `, '').split('\n');
    for (const one of expected)
      assert.ok(
        lines.some((line) => one.test(line)),
        `${one}\n${stderr}`,
      );
    // Those, in the order of the file but for what is missing, and the way out.
    assert.equal(lines.length, expected.length + 1, stderr);
  }
  const { stdout } = await runCli(['load', '--fleet', path, '--json', '--log-file', '/dev/null']);
  const { error, details } = JSON.parse(stdout);
  assert.match(error, /\(and 11 more\)$/);
  assert.match(error, /, line 1: /);
  assert.equal(details.length, 11);
});

test('of very many mistakes the first twenty are shown, and the others counted', () => {
  const text = `machines:\n${'  - { id: a, type: vm, hostname: A, pattern: stable_low_load }\n'.repeat(100)}`;
  const lines = refusal(() => parseFleet(text, 'x'));
  assert.equal(lines.length, 21);
  assert.equal(lines[20], 'and 79 more');
});
