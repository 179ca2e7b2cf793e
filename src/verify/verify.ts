/** `verify`: recomputes a dataset and compares it with the database, in parallel over the plan's shards. */
import type { ConnectionSettings } from '../config/settings.js';
import type { Fleet } from '../fleet/types.js';
import { WorkerPool } from '../load/pool.js';
import type { Dataset } from '../load/run.js';
import { DEFAULT_SHARD_DAYS, planLoad } from '../plan/index.js';
import type { Target } from '../store/target.js';
import type { VerifyTask } from '../../workers/verify-shard.js';
import { countMeasurements } from '../store/statistics.js';
import type { Search } from './compare-shard.js';
import { addFindings, type Defect, defectCounts, type Findings, fingerprintText, noFindings } from './findings.js';
import { compareAssets, findForeignRecords } from './outside.js';

export interface VerifyInput {
  readonly target: Target;
  readonly connection: ConnectionSettings;
  readonly fleet: Fleet;
  readonly dataset: Dataset;
  readonly workers: number;
  /** Inserts what is missing and, in the flat layout, puts right what differs. */
  readonly repair: boolean;
  /** Told after each shard how many records have been compared. */
  readonly onProgress: (compared: number, planned: number) => void;
}

export interface VerifyReport {
  readonly status: 'equal' | 'different';
  /** Of the records found, whatever layout they are in. */
  readonly fingerprint: string;
  readonly records: { readonly expected: number; readonly found: number } & Readonly<Record<Defect, number>>;
  readonly series: Findings['series'];
  readonly examples: Findings['examples'];
  readonly repaired: number;
  readonly elapsedMs: number;
  readonly recordsPerSecond: number;
}

/** @throws SeedError where the database cannot be read. */
export async function verifyDataset(input: VerifyInput): Promise<VerifyReport> {
  const { target, connection, fleet, dataset, repair } = input;
  const started = performance.now();
  const plan = planLoad(fleet, dataset.window, dataset.sections, DEFAULT_SHARD_DAYS);
  const pool = new WorkerPool<VerifyTask, Findings>('verify-shard', input.workers);
  const context = { dataset, fleet, connection: { ...connection, uri: target.uri }, repair };
  const compareAll = async (search: Search) => {
    const findings = noFindings();
    const waiting = [...plan.shards];
    const work = async () => {
      for (let shard = waiting.shift(); shard; shard = waiting.shift()) {
        addFindings(findings, await pool.run({ context, shard, search }));
        input.onProgress(findings.expected, plan.records);
      }
    };
    await Promise.all(Array.from({ length: input.workers }, work));
    return findings;
  };
  let findings: Findings;
  try {
    findings = await compareAll('by id');
    if ((await countMeasurements(target.db, dataset.layout)) !== findings.found) {
      // There is more than the planned ids: look at everything that bears a planned name, then at the rest.
      if (dataset.layout === 'flat') findings = await compareAll('by content');
      await findForeignRecords(target.db, dataset, fleet, findings);
    }
    await compareAssets(target.db, fleet, dataset, findings, repair);
  } catch (error) {
    throw target.explain(error);
  } finally {
    await pool.destroy();
  }
  const defects = defectCounts(findings);
  const elapsedMs = performance.now() - started;
  return {
    status: Object.values(defects).every((count) => count === 0) ? 'equal' : 'different',
    fingerprint: fingerprintText(findings.fingerprint),
    records: { expected: findings.expected, found: findings.found, ...defects },
    series: findings.series,
    examples: findings.examples,
    repaired: findings.repaired,
    elapsedMs: Math.round(elapsedMs),
    recordsPerSecond: Math.round((findings.expected / elapsedMs) * 1000),
  };
}
