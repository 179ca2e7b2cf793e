// A test suite's own database, in three lines: node seed-a-test-database.mjs [URI]
import { load } from 'seed-database';

const uri = process.argv[2] ?? 'mongodb://localhost:27017/my_tests';
const { records } = await load({ uri, days: 1, seed: 42, end: new Date('2025-02-09'), existing: 'clean' });
console.log(`${records.inserted} records`);
