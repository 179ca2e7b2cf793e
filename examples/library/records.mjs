// Records without a server: the highest CPU of each machine in a day.
import { generate } from 'seed-database';

const highest = new Map();
for await (const { asset_id, metric_name, value } of generate({ days: 1, seed: 42, sections: ['metrics'] })) {
  if (metric_name !== 'cpu_usage') continue;
  highest.set(asset_id, Math.max(value, highest.get(asset_id) ?? 0));
}
console.table(Object.fromEntries(highest));
