/** The config room: flags, environment, `.env` and defaults, validated once into one typed object. */
export { type Configuration, type EffectiveSetting, readConfiguration } from './configuration.js';
export { maskSecrets, maskUri, maskUris } from './mask.js';
export * from './settings.js';
export type { SettingSources } from './sources.js';
