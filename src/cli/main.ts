#!/usr/bin/env node
/** The command's entry. Kept small: what a command needs is imported when it runs. */
import { setEngineFlags } from './engine-flags.js';
import { hideCredentials } from './process-title.js';

hideCredentials(process.argv.slice(2));
setEngineFlags();
const { run } = await import('./run.js');

process.exitCode = await run(process.argv.slice(2));
