#!/usr/bin/env node
/** The command's entry. Kept small: what a command needs is imported when it runs. */
import { run } from './run.js';

process.exitCode = await run(process.argv.slice(2));
