/** A file system with little room, for a server that runs out of it. */
import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const PIECE = 4_000_000;

export class SmallDisk {
  readonly #ballast: string;

  private constructor(readonly path: string) {
    this.#ballast = join(path, 'ballast');
  }

  /** Undefined where this user may not mount anything. */
  static mount(megabytes: number): SmallDisk | undefined {
    const path = mkdtempSync(join(tmpdir(), 'seed-database-disk-'));
    try {
      asRoot('mount', '-t', 'tmpfs', '-o', `size=${megabytes}m,mode=0777`, 'tmpfs', path);
      return new SmallDisk(path);
    } catch {
      rmSync(path, { recursive: true });
      return undefined;
    }
  }

  /** Leaves room for so many bytes; for fewer where somebody else writes meanwhile. */
  fillUpTo(left: number): void {
    const file = openSync(this.#ballast, 'a');
    try {
      for (;;) {
        const { bavail, bsize } = statfsSync(this.path);
        const piece = Math.min(PIECE, bavail * bsize - left);
        if (piece <= 0) return;
        writeSync(file, Buffer.alloc(piece));
      }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
    } finally {
      closeSync(file);
    }
  }

  /** Gives the room back. */
  empty(): void {
    rmSync(this.#ballast, { force: true });
  }

  unmount(): void {
    asRoot('umount', this.path);
    rmSync(this.path, { recursive: true });
  }
}

function asRoot(...command: readonly string[]): void {
  const [program, ...args] = process.getuid?.() === 0 ? command : ['sudo', '-n', ...command];
  execFileSync(program, args, { stdio: 'ignore' });
}
