/** The database is another loader's, for now: no failure of this one's making, and it passes. */
import { ExitStatus, SeedError } from '../errors.js';

export class DatabaseHeld extends SeedError {
  constructor(message: string, remedy: string) {
    super(ExitStatus.targetNotReady, message, remedy);
  }
}

/** Something of an earlier loader could still reach the data. Nothing has been done to them. */
export class EarlierLoaderConnected extends DatabaseHeld {
  constructor() {
    super(
      'an earlier loader of this database is still connected to the server, and its last writes may yet arrive',
      'end that process, then try again',
    );
  }
}

/** Said by a loader that has lost its own hold. */
export function lostHold(): DatabaseHeld {
  return new DatabaseHeld(
    'another loader took this run over, because no sign of life of this one reached the server in time',
    'let the other one finish',
  );
}
