// Plans, and checks that a database holds exactly what was loaded: node check-a-database.mjs [URI]
import { plan, verify } from 'seed-database';

const expected = plan({ days: 1, seed: 42, end: new Date('2025-02-09') }).records;
const { status, records, fingerprint } = await verify({
  uri: process.argv[2] ?? 'mongodb://localhost:27017/my_tests',
});
console.log(`${status}: ${records.found} of ${expected} records, fingerprint ${fingerprint}`);
process.exitCode = status === 'equal' ? 0 : 1;
