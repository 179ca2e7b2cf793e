/** What `--help` says below the flags. */

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

Exit status:
  0    done, or already complete
  1    failure
  2    usage: a flag, variable or file that cannot be used
  3    cannot connect
  4    authentication or authorisation
  5    target not empty, or a run in progress
  6    out of space
  130  interrupted`;

/** The same for `verify --help`. */
export const VERIFY_HELP = `
Without flags that describe a dataset the newest run of the database is verified.
By hand: --seed, with --days and --end, or --start and --end, as they were loaded.

Exit status:
  0    equal
  1    different, or failure
  2, 3, 4, 5 as for load`;
