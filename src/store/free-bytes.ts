/** What only `doctor` asks a server. Reads only. */
import type { Db, Document } from 'mongodb';

/** Bytes left on the file system of the data; undefined where the server does not say. */
export async function freeBytes(db: Db): Promise<number | undefined> {
  // A database that is not there yet has no file system; `admin` is always there, but not everybody may ask it.
  return (await freeBytesOf(db)) ?? (await freeBytesOf(db.client.db('admin')));
}

async function freeBytesOf(db: Db): Promise<number | undefined> {
  const { fsTotalSize = 0, fsUsedSize = 0 } = await db.command({ dbStats: 1 }).catch(() => ({}) as Document);
  return fsTotalSize > 0 ? fsTotalSize - fsUsedSize : undefined;
}
