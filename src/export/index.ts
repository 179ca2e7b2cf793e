/** The export room: a dataset as files. */
export * from './export.js';
export { EXPORT_FORMATS, type ExportFormat } from './task.js';
