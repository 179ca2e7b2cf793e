/** The threads' start and end, as the pool sees to them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { share, unshare } from '../../src/threads/counters.js';
import { WorkerPool } from '../../src/threads/pool.js';

test('a thread is ended only when it has read its entry: Node 20 aborts the process otherwise', async (t) => {
  const ready = new Set<Worker>();
  const ended: boolean[] = [];
  const { emit, terminate } = Worker.prototype;
  t.mock.method(Worker.prototype, 'emit', function (this: Worker, ...event: Parameters<typeof emit>) {
    if (event[0] === 'message') ready.add(this);
    return emit.apply(this, event);
  });
  t.mock.method(Worker.prototype, 'terminate', function (this: Worker) {
    ended.push(ready.has(this));
    return terminate.call(this);
  });
  await new WorkerPool('load-shard', 2).destroy();
  assert.deepEqual(ended, [true, true]);
});

test('what a thread has been given stays the same object, whatever it is given in between', () => {
  const [context, ahead] = [share({ kind: 'context' }), share({ kind: 'ahead' })];
  const first = unshare(context);
  assert.deepEqual(first, { kind: 'context' });
  assert.deepEqual(unshare(ahead), { kind: 'ahead' });
  assert.equal(unshare(context), first);
  // Those of earlier loads go.
  for (let i = 0; i < 100; i++) unshare(share({ i }));
  assert.notEqual(unshare(context), first);
  assert.deepEqual(unshare(context), first);
});
