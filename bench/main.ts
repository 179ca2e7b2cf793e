/**
 * `npm run bench`: this loader beside its peers, on a server of the benchmark's own. See README.md.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { chartOf } from './chart.js';
import { earlierLoader } from './contestants.js';
import { LAYOUTS, layoutNamed } from './dataset.js';
import { describeMachine } from './machine.js';
import { ROOT } from './measure.js';
import type { Results } from './results.js';
import { contestantsNamed, requirePeers, runRounds } from './rounds.js';
import { runScaling } from './scaling.js';
import { startBenchServer } from './server.js';
import { measureStart } from './start.js';
import { markdownOf, replaceResults } from './tables.js';

/** All five would take a quarter of an hour for the slow ones alone. */
const DEFAULT_PEER_ROUNDS = 3;

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    days: { type: 'string', default: '14' },
    'peer-rounds': { type: 'string' },
    layout: { type: 'string' },
    only: { type: 'string' },
    'skip-second-table': { type: 'boolean', default: false },
    full: { type: 'boolean', default: false },
    'no-record': { type: 'boolean', default: false },
    earlier: { type: 'string' },
  },
});

function positive(name: 'rounds' | 'days' | 'peer-rounds', preset?: number): number {
  const number = Number(values[name] ?? preset);
  if (!Number.isInteger(number) || number < 1) throw new Error(`--${name} must be a whole number from 1 on`);
  return number;
}

/** The files that README.md and bench:check read. */
function record(results: Results, markdown: string): void {
  const folder = join(ROOT, 'bench', 'results');
  mkdirSync(folder, { recursive: true });
  const json = `${JSON.stringify(results, undefined, 1)}\n`;
  writeFileSync(join(folder, `${results.date}.json`), json);
  writeFileSync(join(folder, 'latest.json'), json);
  writeFileSync(join(folder, 'chart.svg'), chartOf(results));
  const readme = join(ROOT, 'bench', 'README.md');
  writeFileSync(readme, replaceResults(readFileSync(readme, 'utf8'), markdown));
}

const rounds = positive('rounds');
const peerRounds = Math.min(rounds, positive('peer-rounds', DEFAULT_PEER_ROUNDS));
const days = positive('days');
const layouts = values.layout ? [layoutNamed(values.layout)] : LAYOUTS;
const contestants = [
  ...contestantsNamed(values.only?.split(',')),
  ...(values.earlier ? [earlierLoader(values.earlier)] : []),
];
requirePeers(contestants);

const started = performance.now();
const scratch = mkdtempSync(join(tmpdir(), 'seed-bench-files-'));
const server = await startBenchServer();
for (const [signal, status] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  process.once(signal, async () => {
    await server.stop();
    rmSync(scratch, { recursive: true, force: true });
    process.exit(status);
  });
}
try {
  const machine = describeMachine(server.version);
  const date = new Date().toISOString().slice(0, 10);
  const entries = await runRounds({ rounds, peerRounds, days, layouts, contestants, server, scratch });
  const scaling = values['skip-second-table']
    ? []
    : await runScaling({ layouts, full: values.full, server, scratch });
  const start = values['skip-second-table'] ? undefined : await measureStart({ server, scratch });
  const results = { date, rounds, peerRounds, days, machine, contestants: entries, scaling, start };
  const markdown = markdownOf(results);
  console.log(markdown);
  // Part of a table must not replace the whole one.
  if (values.only || values.layout || values['no-record']) console.error('not recorded in bench/results');
  else record(results, markdown);
  console.error(`took ${Math.round((performance.now() - started) / 1000)} s`);
} finally {
  await server.stop();
  rmSync(scratch, { recursive: true, force: true });
}
