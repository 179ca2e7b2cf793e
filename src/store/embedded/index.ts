/** The embedded MongoDB server: a real mongod of the program's own, for who has none. */
export { type ObtainedBinary, obtainBinary } from './binary.js';
export { serveUntilStopped } from './serve.js';
export { type EmbeddedServer, type EmbeddedServerOptions, startEmbeddedServer } from './server.js';
