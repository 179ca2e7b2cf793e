/** The program's version, as package.json has it. */
import { createRequire } from 'node:module';

// By the package's own name, which means the same file from every folder this module is compiled
// into.
const manifest = createRequire(import.meta.url)('seed-database/package.json') as { version: string };

export const VERSION: string = manifest.version;
