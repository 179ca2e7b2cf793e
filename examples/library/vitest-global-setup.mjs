// Vitest: `test: { globalSetup: 'vitest-global-setup.mjs' }`. Loads once; a second run of the tests finds the data complete.
import { load } from 'seed-database';

export default async function setup() {
  const uri = process.env.TEST_MONGODB_URI ?? 'mongodb://localhost:27017/my_tests';
  const { status } = await load({ uri, days: 1, seed: 42, end: new Date('2025-02-09') });
  console.log(status);
}
