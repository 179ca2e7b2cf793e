/**
 * `npm run soak`: random faults against random loads for as long as it is told, and one table at
 * the end.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startTestServer, type TestServer } from '../test/support/server.js';
import { readArguments } from './arguments.js';
import { Chance } from './chance.js';
import { runContest } from './contest.js';
import { runKills } from './kills.js';
import { runRound } from './round.js';
import { runShared } from './shared.js';
import { Tally } from './tally.js';

/** One round in so many is against a replica set. */
const SET_EVERY = 4;

/** Contests side by side: a loader that is away needs no processor. */
const CONTESTS_AT_ONCE = 3;

async function soak(minutes: number, seed: number, tally: Tally): Promise<void> {
  const scratch = mkdtempSync(join(tmpdir(), 'seed-database-soak-'));
  const args = ['--setParameter', 'enableTestCommands=1'];
  const servers: TestServer[] = [];
  try {
    // One is left in peace, but for the loaders that fight over it.
    servers.push(await startTestServer({ args }), await startTestServer({ args, replicaSet: 3 }));
    servers.push(await startTestServer());
    const deadline = performance.now() + minutes * 60_000;
    const goOn = () => performance.now() < deadline;
    const said = (what: string, equal: boolean) => {
      const left = Math.max(0, (deadline - performance.now()) / 60_000).toFixed(1);
      console.error(`${what}: ${equal ? 'equal' : 'DIFFERENT'}, ${tally.total} faults, ${left} minutes left`);
    };
    const among = (name: string, run: typeof runContest) => {
      let next = 0;
      return async () => {
        while (goOn()) {
          const number = next++;
          const chance = new Chance(`${seed} ${name} ${number}`);
          said(`${name} ${number}`, await run({ number, server: servers[2], chance, tally }));
        }
      };
    };
    const [contend, share] = [among('contest', runContest), among('shared', runShared)];
    const rounds = async () => {
      for (let number = 0; goOn(); number++) {
        // In pairs, so that both layouts meet both targets.
        const isSet = Math.floor(number / 2) % SET_EVERY === SET_EVERY - 1;
        const chance = new Chance(`${seed} ${number}`);
        const server = servers[Number(isSet)];
        said(`round ${number}`, await runRound({ number, server, isSet, chance, tally, scratch }));
      }
    };
    await Promise.all([rounds(), share(), ...Array.from({ length: CONTESTS_AT_ONCE }, contend)]);
  } finally {
    for (const server of servers) await server.stop();
    rmSync(scratch, { recursive: true, force: true });
  }
}

// Several loaders and servers at a time, each with a listener that ends it with this process.
process.setMaxListeners(60);
const tally = new Tally();
try {
  const { minutes, seed, kills, days } = readArguments(process.argv.slice(2));
  console.error(`seed ${seed}`);
  if (kills) await runKills(days, new Chance(String(seed)), tally);
  else await soak(minutes, seed, tally);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
console.log(tally.table());
if (!tally.clean) process.exitCode = 1;
