/**
 * Somebody drops what a load is at work on: that is said as it is, and the way out that is named
 * works.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Db } from 'mongodb';
import { type Layout, load, SeedError } from '../../src/index.js';
import { LAYOUTS_HERE } from '../support/features.js';
import { END, useServer } from '../support/loading.js';

const file = useServer({ slowInserts: true });
const DAY = { start: new Date(END.getTime() - 86_400_000), end: END, workers: 1, seed: 42 } as const;

// An insert may meet the drop itself.
const GONE = /^run \w+ is gone from seed_runs: somebody dropped it|^somebody dropped \w+/;
const OTHER_LAYOUT =
  /^metrics is no time-series collection any more: somebody dropped it|^somebody dropped metrics/;

const KINDS: readonly (readonly [string, (db: Db) => Promise<unknown>, RegExp])[] = [
  ['the database', (db) => db.dropDatabase(), GONE],
  ['seed_runs', (db) => db.dropCollection('seed_runs'), GONE],
  ['the run', (db) => db.collection('seed_runs').deleteMany({ state: 'loading' }), GONE],
];

function kindsOf(layout: Layout): typeof KINDS {
  if (layout === 'flat') return KINDS;
  return [...KINDS, ['metrics', (db) => db.dropCollection('metrics'), OTHER_LAYOUT]];
}

for (const layout of LAYOUTS_HERE) {
  for (const [what, drop, said] of kindsOf(layout)) {
    test(`${layout}: ${what} is dropped in mid-load`, async () => {
      const { uri } = file.server;
      const database = file.freshDatabase();
      const db = file.client.db(database);
      if (what === 'the run') {
        const before = { start: new Date(END.getTime() - 90_000_000), end: DAY.start };
        await load({ uri, database, ...DAY, ...before, layout });
      }
      let dropped: Promise<unknown> | undefined;
      const dropOnceThere = async () => {
        while ((await db.collection('metrics').countDocuments({ timestamp: { $gte: DAY.start } })) < 5_000);
        await drop(db);
      };
      const onEvent = ({ type }: { readonly type: string }) => {
        if (type === 'assetsWritten') dropped = dropOnceThere();
      };
      const loading = load(
        { uri, database, ...DAY, layout, existing: 'keep', writer: 'sequence' },
        { onEvent },
      );
      const error = await loading.catch((thrown: unknown) => thrown);
      await dropped;
      assert.ok(error instanceof SeedError, JSON.stringify(error));
      assert.equal(error.exitStatus, 5, error.message);
      assert.match(error.message, said);
      assert.match(error.remedy, /--clean --yes/);
      const again = await load({ uri, database, ...DAY, layout, existing: 'clean', yes: true });
      assert.equal(again.status, 'complete');
    });
  }
}
