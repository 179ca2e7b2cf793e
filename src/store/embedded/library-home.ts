/** mongodb-memory-server asks for the user's home, which it has no use for here, and fails where the system knows none. */
import { tmpdir } from 'node:os';
import { homeFolder } from './user-folders.js';

/** The part of the library that looks for binaries, with an answer for users without a home. */
export async function dryBinary() {
  const { DryMongoBinary } = await import('mongodb-memory-server-core/lib/util/DryMongoBinary.js');
  Object.assign(DryMongoBinary, { homedir: () => homeFolder() ?? tmpdir() });
  return DryMongoBinary;
}
