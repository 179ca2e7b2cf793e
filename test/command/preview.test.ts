/** `preview` as a user runs it. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { DEFAULT_FLEET } from '../../src/fleet/default.js';
import { sampledSeries, TelemetryModel } from '../../src/model/telemetry-model.js';
import { widthOf } from '../../src/output/width.js';
import type { DatasetPicture } from '../../src/picture/picture.js';
import { sparklineBlock } from '../../src/picture/terminal.js';
import { runCli } from '../support/cli.js';
import { assertClose, pictureOf } from '../support/pictures.js';

const FLAGS = ['preview', '--seed', '42', '--end', '2025-02-12'];
const SCRATCH = mkdtempSync(join(tmpdir(), 'seed-database-pictures-'));
process.once('exit', () => rmSync(SCRATCH, { recursive: true, force: true }));

test('one sparkline of a day and one of a week for each machine and metric, in 80 columns of plain text', async () => {
  const { status, stdout, stderr } = await runCli(FLAGS);
  assert.equal(status, 0, stderr);
  assert.equal(stderr, '');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: it is what must not be there.
  assert.doesNotMatch(stdout, /[\u0000-\u0009\u000b-\u001f\u007f]/);
  for (const line of stdout.split('\n')) assert.ok(widthOf(line) <= 80, line);
  const rows = [...stdout.matchAll(/^ {3}[├└]── (\w+) +([▁-█]{24}) {2}([▁-█]{21}) +([\d.]+) +(\d+)$/gm)];
  assert.equal(rows.length, 40);
  // One scale per metric.
  assert.equal(new Set(rows.map(([, metric, , , , top]) => `${metric} ${top}`)).size, 4);
  assert.match(
    stdout.replaceAll(/\s+/g, ' '),
    /All machines share one scale per metric.*logarithmic scale from 20/,
  );
  for (const { hostname, pattern } of DEFAULT_FLEET.machines) {
    assert.ok(stdout.includes(`· ${hostname} · ${pattern}`), hostname);
  }
  // DB-SERVER-PROD on a Tuesday: low at night, high at noon.
  const day = rows[4][2];
  assert.ok(day[12] === '█' && day[3] === '▂', day);
  assert.match(stdout, /Seed: 42/);
  assert.match(stdout, /Period: 2025-01-29 → 2025-02-12 UTC/);
  const readme = readFileSync(new URL('../../../README.md', import.meta.url), 'utf8');
  const shown = readme.split('\n').filter((line) => / {2}[▁-█]{24} {2}/.test(line));
  assert.equal(shown.length, 4);
  for (const line of shown) assert.ok(stdout.includes(line), line);
  const again = await runCli([...FLAGS, '--no-color']);
  assert.equal(again.stdout, stdout);
});

test('the same numbers as the model, in the terminal, as JSON and on the page', async () => {
  const file = join(SCRATCH, 'preview.html');
  const { status, stdout, stderr } = await runCli([...FLAGS, '--json', '--html', file, '--days', '8']);
  assert.equal(status, 0, stderr);
  const picture = JSON.parse(stdout) as DatasetPicture;
  assert.deepEqual(pictureOf(readFileSync(file, 'utf8')), picture);
  assert.match(stderr, /Page written: .*preview\.html \(\d+\.\d kB\)/);
  const { start, end } = picture.window;
  assert.equal(end - start, 8 * 1440);
  const model = new TelemetryModel(DEFAULT_FLEET, 42);
  for (const [index, machine] of DEFAULT_FLEET.machines.entries()) {
    const series = sampledSeries(machine);
    const sums = series.map(() => 0);
    let up = 0;
    for (let day = start / 1440; day < end / 1440; day++) {
      const columns = series.map(() => new Float64Array(1440));
      model.fillDay(machine, day, columns);
      for (const [i, column] of columns.entries()) for (const value of column) sums[i] += value;
      up += columns[3].filter((value) => value === 100).length;
    }
    const shown = picture.machines[index];
    for (const [i, { metricName, mean, records }] of shown.metrics.entries()) {
      assert.equal(metricName, series[i].metricName);
      assertClose(mean, sums[i] / (end - start), metricName);
      assert.equal(records, end - start);
    }
    assert.equal(shown.availability?.up, up);
    assert.equal(shown.backups?.attempted, 8);
  }
  assert.equal(picture.services.length, 22);
});

test('without a seed one is drawn and told; the period ends now', async () => {
  const { status, stdout } = await runCli(['preview', '--days', '1', '--json']);
  assert.equal(status, 0);
  const { source, window } = JSON.parse(stdout) as DatasetPicture;
  assert.ok(source.kind === 'model' && source.seed > 0);
  assert.ok(Math.abs(window.end - Date.now() / 60_000) < 5);
});

test('a file that cannot be written is one line and status 2; flags of other commands are refused', async () => {
  const unwritable = await runCli([...FLAGS, '--days', '1', '--html', join(SCRATCH, 'nowhere', 'p.html')]);
  assert.equal(unwritable.status, 2);
  assert.match(unwritable.stderr, /^❌ --html \S+p\.html cannot be written: [^\n]+\n {3}└── [^\n]+\n$/);
  for (const flag of ['--clean', '--uri=mongodb://x', '--layout=flat']) {
    const { status, stderr } = await runCli(['preview', flag]);
    assert.equal(status, 2, flag);
    assert.match(stderr, /unknown option/);
  }
});

test('a narrow terminal and long names: sparklines give way, no line is wider', () => {
  const metric = {
    metricName: 'network_in_megabits_per_second',
    unit: 'mbps',
    records: 1,
    mean: 12_345,
    min: 0,
    max: 20_000,
    deviation: 1,
    day: Array.from({ length: 24 }, (_, hour) => (hour < 12 ? null : hour * 1000)),
    scale: { from: 0, to: 20_000, logarithmic: false },
    means: [1, 2, 3],
    heat: [],
  };
  const machine = {
    assetId: 'm\u001b[31m1',
    name: 'a name that is far longer than any terminal would like it to be, by some way',
    assetType: 'vm',
    pattern: null,
    metrics: [metric],
    figures: [],
    availability: null,
    backups: null,
  };
  const picture = {
    machines: [machine],
    window: { start: 0, end: 1440 },
    means: { start: 0, stepMinutes: 480 },
  } as unknown as DatasetPicture;
  for (const width of [79, 70, 65]) {
    const [, ...lines] = sparklineBlock(picture, width);
    for (const line of lines) assert.ok(widthOf(line) <= width, `${widthOf(line)} > ${width}: ${line}`);
    assert.ok(lines.some((line) => line.includes('12k')));
    assert.ok(!lines.join('').includes('\u001b'));
  }
});
