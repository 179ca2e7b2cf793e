/**
 * `seed-database preview` and `seed-database report`: pictures of the dataset to come, and of what
 * a database holds.
 */
import { constants } from 'node:fs';
import { open, writeFile } from 'node:fs/promises';
import type { SettingName } from '../config/catalog.js';
import { readConfiguration } from '../config/configuration.js';
import type { Settings } from '../config/settings.js';
import { ExitStatus, SeedError, usageError } from '../errors.js';
import { previewDataset, reportDatabase } from '../library/reading.js';
import { bytes } from '../output/format.js';
import { Screen } from '../output/screen.js';
import { jsonText } from '../output/width.js';
import { renderPage } from '../picture/page/html.js';
import type { DatasetPicture } from '../picture/picture.js';
import {
  availabilityBlock,
  type Block,
  backupBlock,
  promisesBlock,
  sourceBlock,
  sparklineBlock,
} from '../picture/terminal.js';
import { OF_CONNECTIONS } from './options.js';

type Flags = Partial<Record<SettingName, string>>;

/**
 * Shows what a load with these flags would put into a database; connects to nothing.
 * @param html path of the page to write; undefined: draws in the terminal
 */
export async function preview(flags: Flags, html: string | undefined): Promise<ExitStatus> {
  const { settings } = readConfiguration({
    flags,
    environment: process.env,
    directory: process.cwd(),
    unused: [...OF_CONNECTIONS, 'environment'],
  });
  const picture = await previewDataset(settings);
  return show(picture, settings, html, (width) => [sparklineBlock(picture, width), promisesBlock(picture)]);
}

/**
 * Shows what a database holds.
 * @param html path of the page to write; undefined: draws in the terminal
 */
export async function report(flags: Flags, html: string | undefined): Promise<ExitStatus> {
  const { settings } = readConfiguration({
    flags,
    environment: process.env,
    directory: process.cwd(),
    unused: ['environment'],
  });
  const { color } = settings.output;
  const notices = new Screen(process.stderr, color, process.env.TERM);
  const picture = await reportDatabase(settings, { inform: (message) => notices.note(message) });
  return show(picture, settings, html, (width) => [
    sparklineBlock(picture, width),
    availabilityBlock(picture, width),
    backupBlock(picture, width),
    promisesBlock(picture),
  ]);
}

async function show(
  picture: DatasetPicture,
  { output }: Settings,
  html: string | undefined,
  blocksOf: (width: number) => readonly Block[],
): Promise<ExitStatus> {
  const screen = new Screen(output.json ? process.stderr : process.stdout, output.color, process.env.TERM);
  const page = html === undefined ? undefined : renderPage(picture);
  if (html !== undefined && page !== undefined) await writePage(html, page);
  if (output.json) process.stdout.write(`${jsonText(picture)}\n`);
  else {
    const blocks = [sourceBlock(picture), ...(page === undefined ? blocksOf(screen.width) : [])];
    for (const [heading, ...lines] of blocks) {
      screen.print([heading], 'heading');
      screen.print([...lines, '']);
    }
  }
  if (page !== undefined)
    screen.print([`🎯 Page written: ${html} (${bytes(Buffer.byteLength(page))})`], 'good');
  else if (!output.json) screen.print(['🎯 As a page: --html FILE'], 'good');
  return ExitStatus.done;
}

const FULL = new Set(['ENOSPC', 'EDQUOT']);

/** @throws SeedError (usage) where the file cannot be written */
export async function writePage(path: string, page: string): Promise<void> {
  const { O_WRONLY, O_CREAT, O_NONBLOCK = 0 } = constants;
  try {
    // Opening a pipe that nobody reads would wait for a reader; this fails, and what is opened
    // after it does not wait.
    const first = await open(path, O_WRONLY | O_CREAT | O_NONBLOCK);
    await writeFile(path, page).finally(() => first.close());
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const cause = `--html ${path} cannot be written: ${message}`;
    if (code && FULL.has(code))
      throw new SeedError(ExitStatus.outOfSpace, cause, 'make room, or name another file');
    throw usageError(cause, 'name a file in a folder that exists and can be written');
  }
}
