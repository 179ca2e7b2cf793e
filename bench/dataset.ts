/** What every contestant loads: the default fleet and a window that ends at a fixed instant. */
import type { Layout } from '../src/config/settings.js';
import type { Dataset } from '../src/dataset/dataset.js';
import { DEFAULT_FLEET } from '../src/fleet/default.js';
import { MODEL_VERSION } from '../src/model/telemetry-model.js';
import { MINUTES_PER_DAY, type Plan, planLoad, shardDaysFor } from '../src/plan/plan.js';

export const LAYOUTS: readonly Layout[] = ['flat', 'timeseries'];

export const SEED = 42;
/** First day after the data, UTC; the Python peers have the same. */
export const WINDOW_END = '2025-02-09';

export function benchDataset(layout: Layout, days: number): Dataset {
  const end = Date.parse(`${WINDOW_END}T00:00Z`) / 60_000;
  return {
    seed: SEED,
    window: { start: end - days * MINUTES_PER_DAY, end },
    sections: ['metrics', 'polling', 'backup'],
    layout,
    availabilityScale: 'percent',
    environment: 'development',
    modelVersion: MODEL_VERSION,
  };
}

export function benchPlan(dataset: Dataset): Plan {
  return planLoad(
    DEFAULT_FLEET,
    dataset.window,
    dataset.sections,
    shardDaysFor(dataset.window, DEFAULT_FLEET),
  );
}

/** Records of so many days: 135,370 a day. */
export function plannedRecords(days: number): number {
  return benchPlan(benchDataset('flat', days)).records;
}

/** The layout of a command line. @throws Error for any other text. */
export function layoutNamed(name: string | undefined): Layout {
  const layout = LAYOUTS.find((known) => known === name);
  if (!layout) throw new Error(`unknown layout ${name}: ${LAYOUTS.join(' or ')}`);
  return layout;
}
