/**
 * What `--help` says below the flags, of the program and of each command; and the topics of `help`.
 */
import { Help } from 'commander';
import { Screen } from '../output/screen.js';
import { hanging } from '../output/width.js';

const EXIT_STATUSES = `
Exit status:
  0    done, or already complete
  1    failure
  2    usage: a flag, variable or file that cannot be used
  3    cannot connect
  4    authentication or authorisation
  5    target not empty, or a run in progress
  6    out of space
  130  interrupted`;

export const HELP_AFTER = `
Examples:
  seed-database                                   14 days, all defaults
  seed-database --days 7 --batch-size 2000
  seed-database --seed 42 --days 14 --clean       the same data every time
  seed-database --resume                          finish an interrupted run
  seed-database --assets-only                     no records
  seed-database --polling-only --days 7           polling history alone
  seed-database --days 90 --batch-size 10000 --json
  seed-database status --uri mongodb://localhost:27017

Variables:
  MONGODB_URI, MONGODB_HOST, MONGODB_PASSWORD and others, in the environment or
  in a file .env. Flags win over the environment, the environment over the file.
  .env.example describes each one, "seed-database config" shows them in effect.
${EXIT_STATUSES}

When something goes wrong: seed-database help troubleshooting`;

/** Below the flags of a command. */
export const COMMAND_HELP: Readonly<Record<string, string>> = {
  load: `
Examples:
  seed-database load --seed 42 --days 14 --clean
  seed-database load --layout timeseries --days 90 --batch-size 5000
  seed-database load --dry-run --days 365        how many records, how large
${EXIT_STATUSES}`,
  status: `
Examples:
  seed-database status
  seed-database status --database other --json`,
  doctor: `
Examples:
  seed-database doctor --days 90 --layout timeseries
  seed-database doctor --uri mongodb://localhost:27017 --json

Exit status: 0 if a load can be expected to succeed, else that of the first
obstacle, as of a load.`,
  verify: `
Without flags that describe a dataset the newest run of the database is verified.
By hand: --seed, with --days and --end, or --start and --end, as they were loaded.

Examples:
  seed-database verify
  seed-database verify --repair --yes
  seed-database verify --seed 42 --days 14 --end 2025-02-09

Exit status:
  0    equal
  1    different, or failure
  2, 3, 4, 5 as for load`,
  preview: `
Examples:
  seed-database preview --seed 42
  seed-database preview --seed 42 --days 28 --html preview.html`,
  report: `
Examples:
  seed-database report
  seed-database report --days 7 --html report.html`,
  refresh: `
Examples:
  seed-database refresh
  seed-database refresh --keep-days 30 --quiet    as cron would call it`,
  follow: `
Examples:
  seed-database follow
  seed-database follow --keep-days 30`,
  export: `
Examples:
  seed-database export --seed 42 --days 14 --out dump
  seed-database export --seed 42 --format parquet --out files
  seed-database export --seed 42 --format csv --gzip --out files`,
  answers: `
Examples:
  seed-database answers --seed 42 --days 14 --out answers.json
  seed-database answers --seed 42 --format csv --table events
  seed-database answers --uri mongodb://localhost:27017

A dataset that is described needs no server; else it is the newest run's.
Days are those of UTC. p95 is the nearest rank. Events are what an alert or a
detector should find: outages with their cause, and backups that failed.`,
  workload: `
Examples:
  seed-database workload --duration 60s --clients 16
  seed-database workload --requests 10000 --rate 500 --max-p95 50ms
  seed-database workload --duration 60s --with-inserts 2000 --json
  seed-database workload --explain

A mix file has shares; the default is latest: 30, hour: 25, week: 3, hourly: 10,
fleet: 2, availability: 5, backups: 5, services: 15, worst: 5.`,
  serve: `
Examples:
  seed-database serve
  seed-database serve --port 27018`,
  fleet: `
Examples:
  seed-database fleet > my-fleet.yaml             a start for a fleet of your own
  seed-database fleet --fleet my-fleet.yaml       check it
  seed-database fleet --schema > fleet.schema.json`,
  config: `
Examples:
  seed-database config
  seed-database config --uri mongodb://localhost:27017 --json`,
  help: `
Examples:
  seed-database help export
  seed-database help troubleshooting`,
  completion: `
Examples:
  source <(seed-database completion bash)         in ~/.bashrc
  source <(seed-database completion zsh)          in ~/.zshrc, after compinit
  seed-database completion fish | source          in ~/.config/fish/config.fish`,
};

/** What `help <topic>` knows besides commands. */
export const TOPICS: Readonly<Record<string, string>> = {
  troubleshooting: `Every failure is one line with its cause, one with the way out, and an exit
status. "seed-database doctor" looks for most of what follows before a load
does, and --log-level debug adds detail.

1. It cannot connect (exit status 3)
   "seed-database config" shows which address is used and where it was read,
   "seed-database status" tests it. A server that was named is never replaced by
   the embedded one. --wait 60 waits for one that is still starting, and for a
   replica set without a primary. If the server went away for longer than
   --retry-seconds, go on with --resume when it is back.

2. It cannot authenticate (exit status 4)
   The user is looked up in the database admin unless MONGODB_AUTH_SOURCE names
   another. The password comes from MONGODB_PASSWORD, or from the file that
   MONGODB_PASSWORD_FILE names, never from a flag; in a connection string it is
   percent-encoded. "not allowed on database" means that the user is known and
   lacks the role: readWrite on the database is enough.

3. Memory runs out (exit status 1, or the system ends the process)
   Memory grows with --workers, --batch-size and --shard-days, not with --days:
     seed-database --resume --workers 1 --batch-size 500

4. The disk is full (exit status 6; 3 where the server itself stops)
   Make room, then --resume. --dry-run tells the size beforehand, and
   --layout timeseries needs a small part of it.

5. It was interrupted (exit status 130), killed, or the machine lost power
     seed-database --resume
   Each record is there once afterwards; "seed-database verify" proves it.

The target is not empty, or a run is in progress (exit status 5)
   --resume finishes the run that is there, --clean removes this program's
   collections first, --skip-cleanup adds to them. A loader at work is named
   with its host, process and age; one that has died is taken over.

A flag, variable or file cannot be used (exit status 2)
   The line names the value and what is allowed. "seed-database help <command>"
   lists the flags of a command, .env.example the variables.`,
};

// How help is shown: no wider than the terminal, and in its characters.

/** Lines are no wider where the terminal is. */
const MOST_CELLS = 79;
/** A description's column that is narrower is none. */
const LEAST_DESCRIPTION = 42;

export function helpWidth(): number {
  return Math.min(MOST_CELLS, screen().width);
}

export function writeHelp(text: string): void {
  screen().print(text.replace(/\n$/, '').split('\n'));
}

/**
 * With a column of terms and one of descriptions; where there is no room for two, one below the
 * other.
 */
export function helpItem(term: string, termWidth: number, description: string, helper: Help): string {
  const width = helper.helpWidth ?? MOST_CELLS;
  if (width - termWidth >= LEAST_DESCRIPTION) {
    return Help.prototype.formatItem.call(helper, term, termWidth, description, helper);
  }
  return [`  ${term}`, ...hanging(description, width, '      ', '      ')].join('\n');
}

function screen(): Screen {
  return new Screen(process.stdout, false, process.env.TERM);
}
