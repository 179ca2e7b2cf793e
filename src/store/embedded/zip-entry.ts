/** Reads one file out of a zip archive (a Python wheel is one). Stored and deflated entries; no zip64, no encryption. */
import { open } from 'node:fs/promises';
import { PassThrough, type Readable } from 'node:stream';
import { createInflateRaw } from 'node:zlib';

const END_OF_DIRECTORY = 0x06054b50;
const DIRECTORY_ENTRY = 0x02014b50;
const LOCAL_HEADER = 0x04034b50;
/** The end record is 22 bytes and a comment of at most 65,535. */
const LONGEST_END = 22 + 0xffff;

const STORED = 0;
const DEFLATED = 8;

/**
 * The bytes of the first entry whose name ends with `suffix`. Their checksum is the caller's to compare.
 * @throws Error when the archive is damaged or holds no such entry
 */
export async function openZipEntry(archive: string, suffix: string): Promise<Readable> {
  const file = await open(archive);
  try {
    const { size } = await file.stat();
    const tail = Buffer.alloc(Math.min(size, LONGEST_END));
    await file.read(tail, 0, tail.length, size - tail.length);
    const end = lastIndexOfSignature(tail);
    if (end < 0) throw new Error('it is no zip archive, or it is cut off');
    const directory = Buffer.alloc(tail.readUInt32LE(end + 12));
    await file.read(directory, 0, directory.length, tail.readUInt32LE(end + 16));
    const entry = findEntry(directory, suffix);
    if (entry === undefined) throw new Error(`it holds no ${suffix}`);
    const header = Buffer.alloc(30);
    await file.read(header, 0, header.length, entry.headerOffset);
    if (header.readUInt32LE(0) !== LOCAL_HEADER) throw new Error('it is damaged');
    const start = entry.headerOffset + 30 + header.readUInt16LE(26) + header.readUInt16LE(28);
    const bytes = file.createReadStream({
      start,
      end: start + entry.compressedSize - 1,
      highWaterMark: 1 << 20,
    });
    const output = entry.method === DEFLATED ? createInflateRaw({ chunkSize: 1 << 20 }) : new PassThrough();
    bytes.once('error', (error) => output.destroy(error));
    return bytes.pipe(output);
  } catch (error) {
    await file.close();
    throw error;
  }
}

function lastIndexOfSignature(tail: Buffer): number {
  for (let at = tail.length - 22; at >= 0; at--) {
    if (tail.readUInt32LE(at) === END_OF_DIRECTORY) return at;
  }
  return -1;
}

interface ZipEntry {
  readonly method: number;
  readonly compressedSize: number;
  readonly headerOffset: number;
}

function findEntry(directory: Buffer, suffix: string): ZipEntry | undefined {
  for (let at = 0; at + 46 <= directory.length && directory.readUInt32LE(at) === DIRECTORY_ENTRY; ) {
    const nameLength = directory.readUInt16LE(at + 28);
    const name = directory.toString('utf8', at + 46, at + 46 + nameLength);
    if (name.endsWith(suffix)) {
      const method = directory.readUInt16LE(at + 10);
      if (method !== STORED && method !== DEFLATED) throw new Error(`${name} is packed in an unknown way`);
      return {
        method,
        compressedSize: directory.readUInt32LE(at + 20),
        headerOffset: directory.readUInt32LE(at + 42),
      };
    }
    at += 46 + nameLength + directory.readUInt16LE(at + 30) + directory.readUInt16LE(at + 32);
  }
  return undefined;
}
