/**
 * The clients of one thread: each asks one question after the other, as fast as it is answered or
 * at its share of a rate.
 */
import { performance, type RecordableHistogram } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Db, Document } from 'mongodb';
import { type Random, stream } from '../model/patterns.js';
import { latencyHistogram, recordMs } from '../threads/counters.js';
import type { QueryName, Question, Questions } from './queries.js';
import { Timeline, type TimelineCells } from './timeline.js';
import { differenceOf } from './truth.js';

/** What all threads count together and the main thread reads; see {@link Pulse}. */
const CELLS = { stop: 0, requests: 1, errors: 2, wrong: 3 } as const;

/** Counts that threads share. */
export class Pulse {
  readonly #cells: Int32Array;

  constructor(readonly shared: SharedArrayBuffer = new SharedArrayBuffer(16)) {
    this.#cells = new Int32Array(shared);
  }

  get stopping(): boolean {
    return Atomics.load(this.#cells, CELLS.stop) === 1;
  }

  stop(): void {
    Atomics.store(this.#cells, CELLS.stop, 1);
  }

  /** @returns how many there were before */
  count(what: 'requests' | 'errors' | 'wrong'): number {
    return Atomics.add(this.#cells, CELLS[what], 1);
  }

  read(what: 'requests' | 'errors' | 'wrong'): number {
    return Atomics.load(this.#cells, CELLS[what]);
  }
}

/** How a thread drives its clients. Plain data. */
export interface Drive {
  /** Numbers of its clients, of all that there are. */
  readonly clients: readonly number[];
  readonly clientsInAll: number;
  readonly mix: Readonly<Partial<Record<QueryName, number>>>;
  /** Requests a second of all clients together; undefined: as fast as they are answered. */
  readonly rate: number | undefined;
  /** Of all clients together; undefined: until the time is over. */
  readonly requests: number | undefined;
  readonly durationMs: number | undefined;
  /** One answer in so many is compared; 0: none. */
  readonly checkEvery: number;
  readonly seed: number;
}

/** What came of one query's requests in one thread. */
export interface Outcome {
  /** Microseconds, from the intended start where there is a rate. */
  readonly histogram: RecordableHistogram;
  requests: number;
  errors: number;
  checked: number;
  wrong: number;
  /** The first few, as text. */
  readonly examples: string[];
}

export interface ThreadResult {
  readonly outcomes: ReadonlyMap<QueryName, Outcome>;
  readonly timeline: TimelineCells;
  /** Share of the time in which the thread was busy itself, from 0 to 1. */
  readonly busy: number;
}

const EXAMPLES = 3;

/** Runs all clients of a thread to their end. */
export async function drive(db: Db, questions: Questions, how: Drive, pulse: Pulse): Promise<ThreadResult> {
  const outcomes = new Map<QueryName, Outcome>();
  const outcomeOf = (name: QueryName): Outcome => {
    const known = outcomes.get(name);
    if (known) return known;
    const fresh = {
      histogram: latencyHistogram(),
      requests: 0,
      errors: 0,
      checked: 0,
      wrong: 0,
      examples: [],
    };
    outcomes.set(name, fresh);
    return fresh;
  };
  const timeline = new Timeline();
  const before = performance.eventLoopUtilization();
  const started = performance.now();
  const since = () => performance.now() - started;
  await Promise.all(
    how.clients.map(async (client) => {
      const random = stream(how.seed, `client ${client}`, 'workload', 0);
      const draw = drawer(how.mix, random);
      for (let turn = 0; !isOver(how, pulse, started); turn++) {
        // Where there is a rate, waiting for a slow answer counts as well: a user would have waited.
        const intended =
          how.rate === undefined
            ? performance.now()
            : started + ((turn * how.clientsInAll + client) * 1000) / how.rate;
        if (!(await waited(intended, how, pulse, started))) return;
        if (how.requests !== undefined && pulse.count('requests') >= how.requests) return;
        if (how.requests === undefined) pulse.count('requests');
        const name = draw();
        const outcome = outcomeOf(name);
        const isChecked = how.checkEvery > 0 && outcome.requests % how.checkEvery === 0;
        const latency = await ask(db, questions.draw(name, random), intended, isChecked, outcome, pulse);
        if (latency === undefined) timeline.failed(since());
        else timeline.answered(since(), latency);
      }
    }),
  );
  return { outcomes, timeline: timeline.cells, busy: performance.eventLoopUtilization(before).utilization };
}

/** @returns how long the answer took, in milliseconds; undefined where there was none */
async function ask(
  db: Db,
  question: Question,
  intended: number,
  isChecked: boolean,
  outcome: Outcome,
  pulse: Pulse,
): Promise<number | undefined> {
  outcome.requests++;
  let documents: Document[];
  try {
    const reply = await db.command(question.command, { readPreference: db.readPreference });
    documents = reply.cursor.firstBatch;
  } catch (error) {
    outcome.errors++;
    pulse.count('errors');
    noteExample(outcome, error instanceof Error ? error.message : String(error));
    return undefined;
  }
  const latency = performance.now() - intended;
  recordMs(outcome.histogram, latency);
  if (!isChecked) return latency;
  outcome.checked++;
  const difference = differenceOf(question.expected(), documents.map(question.read));
  if (difference === undefined) return latency;
  outcome.wrong++;
  pulse.count('wrong');
  noteExample(outcome, difference);
  return latency;
}

function noteExample({ examples }: Outcome, text: string): void {
  if (examples.length < EXAMPLES && !examples.includes(text)) examples.push(text);
}

function isOver({ durationMs }: Drive, pulse: Pulse, started: number): boolean {
  return pulse.stopping || (durationMs !== undefined && performance.now() - started >= durationMs);
}

const PAUSE_MS = 100;

/** Waits for an instant. False where the end comes first. */
async function waited(until: number, how: Drive, pulse: Pulse, started: number): Promise<boolean> {
  for (let left = until - performance.now(); left > 0; left = until - performance.now()) {
    if (isOver(how, pulse, started)) return false;
    // Timers have a grain of a millisecond: the last one is too short for them.
    if (left >= 1) await sleep(Math.min(left, PAUSE_MS));
    else await new Promise(setImmediate);
  }
  return !isOver(how, pulse, started);
}

/** Names of the mix by their shares. */
function drawer(mix: Drive['mix'], random: Random): () => QueryName {
  const entries = Object.entries(mix) as [QueryName, number][];
  const sum = entries.reduce((all, [, share]) => all + share, 0);
  return () => {
    let left = random() * sum;
    for (const [name, share] of entries) {
      left -= share;
      if (left < 0) return name;
    }
    return entries[entries.length - 1][0];
  };
}
