/** `seed-database doctor`: can a load with these settings end well, and if not, what would help? */
import type { SettingName } from '../config/catalog.js';
import { readConfiguration } from '../config/configuration.js';
import { maskSecrets } from '../config/mask.js';
import { ExitStatus } from '../errors.js';
import { examine, type Finding } from '../library/doctor.js';
import { tree } from '../output/format.js';
import { Screen } from '../output/screen.js';
import { jsonText } from '../output/width.js';
import { withTypedFlags } from './commands.js';

const MARKS = { good: '✅', warning: '⚠️ ', bad: '❌' } as const;

/**
 * Looks at everything that a load with these flags depends on, and writes nothing.
 * @returns done, or the exit status that such a load would end with
 */
export async function doctor(flags: Partial<Record<SettingName, string>>): Promise<ExitStatus> {
  const { settings } = readConfiguration({
    flags,
    environment: process.env,
    directory: process.cwd(),
    unused: ['environment'],
  });
  const { output } = settings;
  const screen = new Screen(process.stdout, output.color, process.env.TERM);
  const notices = new Screen(process.stderr, output.color, process.env.TERM);
  const shown = (finding: Finding): Finding => ({
    ...finding,
    detail: maskSecrets(finding.detail, settings),
    remedy: withTypedFlags(maskSecrets(finding.remedy, settings)),
  });
  const findings = await examine(
    settings,
    (message) => notices.note(message),
    (finding) => output.json || screen.print(linesOf(shown(finding))),
  );
  const worst = findings.find(({ state }) => state === 'bad');
  if (output.json) {
    const checks = findings.map(shown).map(({ exitStatus: _, ...finding }) => finding);
    process.stdout.write(`${jsonText({ status: worst ? 'failed' : 'good', checks })}\n`);
  } else screen.print(['', worst ? '❌ A load would fail' : '🎯 Ready to load'], worst ? 'bad' : 'good');
  return worst?.exitStatus ?? ExitStatus.done;
}

function linesOf({ subject, state, detail, remedy }: Finding): string[] {
  return [`${MARKS[state]} ${subject}: ${detail}`, ...(remedy === '' ? [] : tree([remedy]))];
}
