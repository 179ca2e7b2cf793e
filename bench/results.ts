/** What a benchmark found, as bench/results keeps it. */
import { z } from 'zod';

const Spread = z.object({ median: z.number(), min: z.number(), max: z.number() });
export type Spread = z.infer<typeof Spread>;

/** One run of one contestant. */
const Run = z.object({
  round: z.number(),
  recordsPerSecond: z.number(),
  loaderCpuMicros: z.number(),
  /** Without start-up; only this loader and the ceiling say so. */
  loadingCpuMicros: z.number().optional(),
  serverCpuMicros: z.number(),
  maxRssMb: z.number(),
  wallSeconds: z.number(),
});
export type Run = z.infer<typeof Run>;

const Entry = z.object({
  layout: z.enum(['flat', 'timeseries']),
  id: z.string(),
  name: z.string(),
  records: z.number(),
  recordsPerSecond: Spread,
  /** Microseconds of CPU for one record, whole process. */
  loaderCpuMicros: Spread,
  loadingCpuMicros: Spread.optional(),
  /** Of the whole process; undefined where that says nothing. */
  wallSeconds: Spread.optional(),
  /** Undefined for a contestant that writes nothing. */
  serverCpuMicros: Spread.optional(),
  maxRssMb: Spread.optional(),
  runs: z.array(Run),
});
export type Entry = z.infer<typeof Entry>;

const Scaling = z.object({
  layout: z.enum(['flat', 'timeseries']),
  workers: z.number(),
  days: z.number(),
  records: z.number(),
  recordsPerSecond: z.number(),
  loaderCpuMicros: z.number(),
  maxRssMb: z.number(),
});
export type Scaling = z.infer<typeof Scaling>;

/** From the start of a process to its end, in seconds. */
const Start = z.object({
  /** `node -e 0`. */
  node: Spread,
  /** A load of an hour of data in each layout, on a server that runs. */
  hour: z.object({ flat: Spread, timeseries: Spread }),
});
export type Start = z.infer<typeof Start>;

const Machine = z.object({
  cpu: z.string(),
  cores: z.number(),
  memoryGb: z.number(),
  kernel: z.string(),
  node: z.string(),
  mongod: z.string(),
  commit: z.string(),
  /** Load average of the minute before the benchmark: above 0.5 the machine was not quiet. */
  loadBefore: z.number(),
});
export type Machine = z.infer<typeof Machine>;

export const Results = z.object({
  date: z.string(),
  rounds: z.number(),
  /** Rounds in which the slow contestants took part. */
  peerRounds: z.number(),
  days: z.number(),
  machine: Machine,
  contestants: z.array(Entry),
  scaling: z.array(Scaling),
  start: Start.optional(),
});
export type Results = z.infer<typeof Results>;

/** @throws Error for no values. */
export function spread(values: readonly number[]): Spread {
  if (values.length === 0) throw new Error('no values');
  const sorted = [...values].sort((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)];
  const median = sorted.length % 2 === 1 ? upper : (sorted[sorted.length / 2 - 1] + upper) / 2;
  return { median, min: sorted[0], max: sorted[sorted.length - 1] };
}
