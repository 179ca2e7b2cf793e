/** One mongod process on loopback, through mongodb-memory-server. */
import { totalmem } from 'node:os';
import type { MongoInstance } from 'mongodb-memory-server-core';
import type { ObtainedBinary } from './binary.js';
import { MongodLog } from './mongod.js';
import { dryBinary } from './state.js';

/**
 * Recovery after a power cut replays at most a minute of journal; on a slow disk that takes its
 * time.
 */
const START_TIMEOUT_MS = 120_000;

const GIGABYTE = 1024 ** 3;

/**
 * mongod takes half of the memory by default, which is too much beside a developer's other
 * programs: a quarter, from 0.25 GB up to 4 GB, holds more than the default dataset.
 */
function cacheGigabytes(memoryBytes = availableMemory()): number {
  return Math.min(4, Math.max(0.25, Math.floor((memoryBytes / 4 / GIGABYTE) * 4) / 4));
}

/** The machine's memory, or the container's where it is limited. */
function availableMemory(): number {
  const limit = process.constrainedMemory(); // 0 or a huge number where there is none
  return limit > 0 ? Math.min(limit, totalmem()) : totalmem();
}

/** A mongod that could not be started; `log` knows why. */
export class StartFailure extends Error {
  constructor(
    readonly log: MongodLog,
    cause: unknown,
  ) {
    super('mongod did not start', { cause });
  }
}

/**
 * Starts mongod on 127.0.0.1 with a data directory that is kept, and waits until it accepts
 * connections. The library also starts a small process that ends mongod when this one dies without
 * stopping it.
 * @throws StartFailure
 */
export async function launch(
  binary: ObtainedBinary,
  dataDirectory: string,
  port: number,
): Promise<MongoInstance> {
  const [{ MongoInstance: Instance }, config] = await Promise.all([
    import('mongodb-memory-server-core/lib/util/MongoInstance.js'),
    import('mongodb-memory-server-core/lib/util/resolveConfig.js'),
    dryBinary(),
  ]);
  // The version is known already: asking the binary again would cost a process, and warn about the
  // library's own default.
  config.setDefaultValue(config.ResolveConfigVariables.SYSTEM_BINARY_VERSION_CHECK, 'false');
  const log = new MongodLog();

  /**
   * The library reads the output chunk by chunk, and fails on two lines in one: it gets them one by
   * one.
   */
  class LineByLine extends Instance {
    override stdoutHandler(chunk: string | Buffer): void {
      for (const line of log.take(chunk)) super.stdoutHandler(line);
    }

    override stderrHandler(chunk: string | Buffer): void {
      for (const line of log.take(chunk)) super.stderrHandler(line);
    }

    /** After the log has been read to its end, which the exit alone does not say. */
    override closeHandler(code: number | null, signal: string | null): void {
      for (const line of log.take('\n')) super.stdoutHandler(line);
      super.closeHandler(code, signal);
    }
  }

  const instance = new LineByLine({
    instance: {
      port,
      ip: '127.0.0.1',
      dbPath: dataDirectory,
      storageEngine: 'wiredTiger',
      launchTimeout: START_TIMEOUT_MS,
      args: [
        ...['--wiredTigerCacheSizeGB', String(cacheGigabytes())],
        // Nobody reads this log: only what is slower than two seconds is written, and no diagnostic
        // data.
        ...['--quiet', '--slowms', '2000', '--setParameter', 'diagnosticDataCollectionEnabled=false'],
        ...(process.platform === 'win32' ? [] : ['--nounixsocket']),
      ],
    },
    binary: { systemBinary: binary.path, version: binary.version },
    // A session of its own: Ctrl-C in the terminal is for this program, which then stops mongod in
    // its own time.
    spawn: { detached: true },
  });
  try {
    await instance.start();
    return instance;
  } catch (error) {
    await instance.stop().catch(() => undefined);
    throw new StartFailure(log, error);
  }
}
