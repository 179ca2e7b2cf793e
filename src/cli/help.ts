/** What `--help` says below the flags. */

export const HELP_AFTER = `
Examples:
  seed-database                                        14 days into the server configured, or one of its own
  seed-database --days 7 --batch-size 2000             a week, in larger batches
  seed-database --seed 42 --days 14 --clean            the same data every time
  seed-database --resume                               go on where a run was interrupted
  seed-database --assets-only                          machines, services and jobs, no records
  seed-database --polling-only --days 7                polling history alone
  seed-database --days 90 --batch-size 10000 --json    a large load, the result as JSON
  seed-database status --uri mongodb://localhost:27017

Variables:
  MONGODB_URI, MONGODB_HOST, MONGODB_PASSWORD and others, in the environment or in a file .env; flags win over
  the environment, the environment over the file. .env.example describes each, "seed-database config" shows them.

Exit status:
  0    done, or already complete
  1    failure
  2    usage: a flag, variable or file that cannot be used
  3    cannot connect
  4    authentication or authorisation
  5    target not empty, or a run in progress
  6    out of space
  130  interrupted`;
