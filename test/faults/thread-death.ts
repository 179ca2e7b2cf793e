/**
 * Loaded into a loader's threads with `--import`, by a test: makes worker threads die with a batch
 * on its way. Which way and how many of them, the variables DIE and DEATHS say; DIED names a file
 * that counts them.
 */
import { appendFileSync, readFileSync } from 'node:fs';
import { Socket } from 'node:net';
import { isMainThread } from 'node:worker_threads';

const { DIE, DEATHS = '1', DIED = '' } = process.env;
/** A batch of the loader, as opposed to what else is sent. Buckets are smaller than documents. */
const BATCH_BYTES = Number(process.env.BATCH_BYTES ?? 20_000);
/** The batch that a thread dies with. */
const LAST_BATCH = Number(process.env.LAST_BATCH ?? 6);

if (!isMainThread && DIE !== undefined && deaths() < Number(DEATHS)) {
  if (DIE === 'start') die();
  const { write } = Socket.prototype;
  let batches = 0;
  Socket.prototype.write = function (this: Socket, ...args: Parameters<Socket['write']>) {
    const [data] = args;
    const written = write.apply(this, args);
    if (data.length > BATCH_BYTES && ++batches === LAST_BATCH && deaths() < Number(DEATHS)) setImmediate(die);
    return written;
  } as Socket['write'];
}

function deaths(): number {
  try {
    return readFileSync(DIED, 'utf8').length;
  } catch {
    return 0;
  }
}

function die(): void {
  appendFileSync(DIED, 'x');
  if (DIE === 'throw') throw new Error('planted in a worker');
  if (DIE === 'reject') void Promise.reject(new Error('rejected in a worker'));
  if (DIE === 'memory')
    for (const hoard: number[][] = []; ; ) hoard.push(new Array(500_000).fill(hoard.length + 0.5));
  if (DIE === 'exit' || DIE === 'start') process.exit(3);
}
