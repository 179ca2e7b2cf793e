/**
 * The package as a library: load a dataset, refresh, verify, repair, export or picture it, and read
 * what was loaded (docs/library.md).
 *
 * ```ts
 * import { connectReader, load } from 'seed-database';
 *
 * const uri = 'mongodb://localhost:27017/telemetry';
 * await load({ uri, days: 7, seed: 42, existing: 'clean' });
 * const { reader, close } = await connectReader(uri);
 * console.log(await reader.latest('vm-101'));
 * await close();
 * ```
 */
import './library/require-node.js';

export type { AssetAnswer, DailyAnswer } from './answers/daily.js';
export {
  type AvailabilityScale,
  EXPORT_FORMATS,
  type ExistingData,
  type ExportFormat,
  LAYOUTS,
  type Layout,
  SECTIONS,
  type Section,
  type WriterName,
} from './config/settings.js';
export type { EncodedBatch } from './dataset/generate.js';
export { ExitStatus, SeedError } from './errors.js';
export { DEFAULT_FLEET } from './fleet/default.js';
export type {
  DisturbanceEntry,
  FleetFile,
  JobEntry,
  MachineEntry,
  MetricEntry,
  ServiceEntry,
} from './fleet/file.js';
export type { Asset, AssetData, AssetType, BackupJob, Fleet, Machine, Service } from './fleet/types.js';
export type { Exported, KnownEvent } from './library/dataset.js';
export type { DatasetOptions, LoadOptions } from './library/making.js';
export {
  answers,
  type ExportOptions,
  events,
  exportDataset,
  generate,
  generateBatches,
  type LoadObserver,
  load,
  type Observer,
  plan,
  preview,
} from './library/making.js';
export { planLoad } from './library/options.js';
export type { DatabaseStatus } from './library/reading.js';
export {
  type ConnectedReader,
  connectReader,
  type RefreshLoadOptions,
  type RefreshSummary,
  type Repaired,
  type RepairOptions,
  refresh,
  repair,
  report,
  status,
  type TargetOptions,
  type VerifyOptions,
  verify,
} from './library/stored.js';
export type { LoadEvent, LoadSummary } from './output/types.js';
export type { DatasetPicture } from './picture/picture.js';
export {
  instantOf,
  minuteOf,
  type Plan,
  type Shard,
  type Window,
} from './plan/plan.js';
export {
  openReader,
  type RecordQuery,
  type StoredAsset,
  type StoredRecord,
  TelemetryReader,
} from './store/reads.js';
export type { Interval } from './time.js';
export type { VerifyReport } from './verify/verify.js';
export { VERSION } from './version.js';
