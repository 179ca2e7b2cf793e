/** The encode room: a record → its document, its BSON bytes; the two layouts. */
export * from './asset-document.js';
export * from './batch.js';
export * from './bucket.js';
export * from './document.js';
export * from './insert.js';
export * from './series.js';
export * from './template.js';
