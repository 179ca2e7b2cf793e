/** Variables that name a file with a value, as images of containers have them: `MONGODB_PASSWORD_FILE` for `MONGODB_PASSWORD`. */
import { usageError } from '../errors.js';
import { readInputFile, UnusableFile } from '../input-file.js';
import { type SettingName, settingEntry } from './catalog.js';
import type { Candidate } from './sources.js';

/** A connection string or a password. */
const MOST_BYTES = 64 * 1024;

const FILE_OF = { uri: 'uriFile', password: 'passwordFile' } as const satisfies Partial<
  Record<SettingName, SettingName>
>;

/**
 * Adds what the files hold. A setting from a stronger source wins over its file, and the other way round.
 * @throws SeedError (usage) for a file that cannot be read or is empty, and where one source gives both; never with what it holds
 */
export function addFromFiles(candidates: Partial<Record<SettingName, Candidate>>): void {
  for (const [name, fileName] of Object.entries(FILE_OF) as [SettingName, SettingName][]) {
    const file = candidates[fileName];
    const direct = candidates[name];
    if (file === undefined || (direct && direct.rank > file.rank)) continue;
    const { variable } = settingEntry(name);
    const { variable: fileVariable } = settingEntry(fileName);
    if (direct?.rank === file.rank) {
      throw usageError(`${variable} and ${fileVariable} are both set`, 'give one of them');
    }
    const label = `${fileVariable}=${JSON.stringify(file.text).slice(1, -1)}`;
    candidates[name] = { ...file, text: contentOf(file.text, label, fileVariable), label };
  }
}

function contentOf(path: string, label: string, variable = ''): string {
  try {
    // What writes such files ends them with a line break, which belongs to nothing.
    const text = readInputFile(path, MOST_BYTES)
      .replace(/^\uFEFF/, '')
      .replace(/[\r\n]+$/, '');
    if (text !== '') return text;
  } catch (error) {
    if (!(error instanceof UnusableFile)) throw error;
    throw usageError(
      `${label} cannot be read: ${error.message}`,
      `name a file that holds it with ${variable}`,
    );
  }
  throw usageError(`${label}: the file is empty`, `name a file that holds it with ${variable}`);
}
