/** The verify room: a database beside the dataset that it should hold. */
export type { Defect, DefectCounts, Example, SeriesFindings } from './findings.js';
export { planRepair, type RepairPlan, repairDataset } from './repair.js';
export { type Selection, selectDataset } from './select.js';
export { type VerifyInput, type VerifyReport, verifyDataset } from './verify.js';
