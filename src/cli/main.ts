#!/usr/bin/env node
/** The command's entry. Kept small: what a command needs is imported when it runs. */
import { compileLater } from './compile-later.js';
import { hideCredentials } from './process-title.js';

hideCredentials(process.argv.slice(2));
compileLater();
const { run } = await import('./run.js');

process.exitCode = await run(process.argv.slice(2));
