export * from './verify.js';
export type { Defect, Example, SeriesFindings } from './findings.js';
