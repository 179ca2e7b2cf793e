/**
 * A shared run: its parts are loaded side by side, and each is killed, interrupted and cut off from
 * the server, and started again until it is done.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { LAYOUTS, type Layout } from '../src/config/settings.js';
import { ExitStatus } from '../src/errors.js';
import { loadFlags, type Place, verify } from '../test/support/dataset.js';
import { TcpProxy } from '../test/support/proxy.js';
import { RunningLoad } from '../test/support/running.js';
import type { ContestInput } from './contest.js';
import { FAULTS, type Scene } from './faults.js';
import { disturb, dropDatabase, HANGS_AFTER_MS, IMPATIENT, judge, SESSIONS } from './session.js';
import type { Tally } from './tally.js';

/** The line of the parts is slow, so that they are at work for a while. */
const DELAY_MS = 10;
/** Another part, or the lease of a killed one, may be in the way for a moment. */
const WAIT_MS = 1_000;

/** Resolves with true when it ended equal. */
export async function runShared({ number, server, chance, tally }: ContestInput): Promise<boolean> {
  const layout = LAYOUTS[number % LAYOUTS.length];
  const past: Place = { uri: server.uri, database: `shared_${number}` };
  const proxy = await TcpProxy.start(server.port, { delayMs: DELAY_MS });
  try {
    const parts = chance.whole(2, 4);
    const flags = [
      ...['--seed', String(chance.whole(0, 1e6)), '--days', String(chance.whole(2, 4)), '--layout', layout],
      ...['--shard-days', '1', '--workers', String(chance.whole(1, 2)), '--parts', String(parts)],
      ...(chance.happens(0.5) ? ['--metrics-only', '--backup-only'] : []),
    ];
    const line = { server, proxy, place: past, chance };
    const all = Array.from({ length: parts }, (_, i) => finishPart(i + 1, flags, line, layout, tally));
    const done = await Promise.all(all);
    const verdict = await verify(past);
    tally.addVerdict(verdict);
    tally.shared[layout]++;
    const isEqual = verdict.status === 'equal' && done.every(Boolean);
    if (!isEqual) console.error(JSON.stringify({ number, flags, done, verdict }, null, 1));
    return isEqual;
  } finally {
    await proxy.stop();
    await dropDatabase(past);
  }
}

/** Resolves with true when the part is loaded. */
async function finishPart(
  part: number,
  flags: readonly string[],
  line: Omit<Scene, 'running'> & { readonly proxy: TcpProxy },
  layout: Layout,
  tally: Tally,
): Promise<boolean> {
  const { chance, place, proxy } = line;
  const through = loadFlags({ ...place, uri: proxy.uri });
  const disturbance = { kinds: FAULTS.part, pause: [200, 1_500], layout } as const;
  let left = chance.whole(1, 4);
  for (let session = 0; session < SESSIONS; session++) {
    // Whatever is asked for: the writer that the part was begun with decides.
    const writer = ['--writer', chance.one(['auto', 'auto', 'sequence', 'bulkwrite'])];
    const args = [
      ...through,
      ...flags,
      ...['--part', String(part)],
      ...writer,
      ...['--log-file', '/dev/null'],
    ];
    const running = new RunningLoad(args, { env: IMPATIENT, timeoutMs: HANGS_AFTER_MS });
    if (session > 0) tally.resumes++;
    left = await disturb({ ...line, running }, disturbance, left, tally);
    if ((await judge(running, tally)) === ExitStatus.done) return true;
    await sleep(WAIT_MS);
  }
  return false;
}
