/** The program's commands and flags. Each command's work is imported when it runs. */
import { Argument, Command, Option } from 'commander';
import { ANSWER_TABLES, EXPORT_FORMATS, PARQUET_COMPRESSIONS } from '../config/settings.js';
import { ExitStatus } from '../errors.js';
import { VERSION } from '../version.js';
import type { Shell } from './completion.js';
import type { FleetFormat } from './config.js';
import { COMMAND_HELP, HELP_AFTER, helpItem, helpWidth, TOPICS, writeHelp } from './help.js';
import {
  ANSWERS_SETTINGS,
  addSettingOptions,
  CONNECTION_SETTINGS,
  DOCTOR_SETTINGS,
  EXPORT_SETTINGS,
  FLAG_SETTINGS,
  givenFlags,
  PREVIEW_SETTINGS,
  REFRESH_SETTINGS,
  REPORT_SETTINGS,
  VERIFY_SETTINGS,
} from './options.js';

/** Headings of the commands in `--help`. */
const GROUP_OF: Readonly<Record<string, string>> = {
  load: 'Load:',
  refresh: 'Load:',
  follow: 'Load:',
  export: 'Load:',
  answers: 'Look beforehand:',
  workload: 'Look:',
  status: 'Look:',
  verify: 'Look:',
  report: 'Look:',
  preview: 'Look beforehand:',
  doctor: 'Look beforehand:',
  fleet: 'Look beforehand:',
  config: 'Look beforehand:',
  serve: 'Server:',
};

const VERSION_OPTION = ['-V, --version', 'print the version'] as const;
const HELP_OPTION = ['-h, --help', 'print this help'] as const;

/** The program, not yet run. `ended` receives the exit status of the command that was run. */
export function buildProgram(ended: (status: ExitStatus) => void): Command {
  const program = new Command('seed-database')
    .description('Fills MongoDB with deterministic infrastructure telemetry, in parallel.')
    .usage('[command] [options]')
    .version(VERSION, ...VERSION_OPTION)
    .helpOption(...HELP_OPTION)
    .helpCommand(false)
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({ writeOut: writeHelp, getOutHelpWidth: helpWidth, outputError: () => undefined })
    .configureHelp({ formatItem: helpItem })
    .addHelpText('after', HELP_AFTER);
  addSettingOptions(program, FLAG_SETTINGS);

  const load = async (_options: unknown, command: Command) => {
    const { load } = await import('./load.js');
    ended(await load(givenFlags(command)));
  };
  addSettingOptions(program.command('load'), FLAG_SETTINGS)
    .description('load a dataset; what the program does without a command')
    .action(load);

  addSettingOptions(program.command('status'), CONNECTION_SETTINGS)
    .description('test the connection, show the server, the database, the runs and what they loaded')
    .action(async (_options, command: Command) => {
      const { status } = await import('./server.js');
      ended(await status(givenFlags(command)));
    });

  addSettingOptions(program.command('doctor'), DOCTOR_SETTINGS)
    .description('look at everything that a load depends on, and say what would help; writes nothing')
    .action(async (_options, command: Command) => {
      const { doctor } = await import('./server.js');
      ended(await doctor(givenFlags(command)));
    });

  addSettingOptions(program.command('verify'), VERIFY_SETTINGS)
    .description('compare the database, record by record, with the dataset that it should hold')
    .option('--run <id>', 'the run to verify (default: the newest one)')
    .option('--repair', 'insert what is missing and, in the flat layout, put right what differs')
    .action(async ({ run, repair }: { run?: string; repair?: boolean }, command: Command) => {
      const { verify } = await import('./verify.js');
      ended(await verify(givenFlags(command), { run, repair: repair ?? false }));
    });

  addSettingOptions(program.command('preview'), PREVIEW_SETTINGS)
    .description('draw the dataset that a load would make, without a database')
    .option('--html <file>', 'write it as one page instead of drawing in the terminal')
    .action(async ({ html }: { html?: string }, command: Command) => {
      const { preview } = await import('./pictures.js');
      ended(await preview(givenFlags(command), html));
    });

  addSettingOptions(program.command('report'), REPORT_SETTINGS)
    .description('draw what a database holds, with availability, recovery points and backup success')
    .option('--html <file>', 'write it as one page instead of drawing in the terminal')
    .action(async ({ html }: { html?: string }, command: Command) => {
      const { report } = await import('./pictures.js');
      ended(await report(givenFlags(command), html));
    });

  addSettingOptions(program.command('refresh'), REFRESH_SETTINGS)
    .description('extend the newest run from its last minute up to now, or up to --end')
    .option('--keep-days <n>', 'remove records older than this many days before the new end')
    .action(async ({ keepDays }: { keepDays?: string }, command: Command) => {
      const { refresh } = await import('./refresh.js');
      ended(await refresh(givenFlags(command), keepDays));
    });

  addSettingOptions(
    program.command('follow'),
    REFRESH_SETTINGS.filter((name) => name !== 'end'),
  )
    .description('refresh every minute until Ctrl-C')
    .option('--keep-days <n>', 'remove records older than this many days before the new end')
    .action(async ({ keepDays }: { keepDays?: string }, command: Command) => {
      const { follow } = await import('./refresh.js');
      ended(await follow(givenFlags(command), keepDays));
    });

  addSettingOptions(program.command('export'), EXPORT_SETTINGS)
    .description('write a dataset into files, without a server')
    .addOption(
      new Option('--format <format>', 'bson is for mongorestore (default: bson)').choices(EXPORT_FORMATS),
    )
    .option('--out <folder>', 'folder to make; --clean replaces one that is there; - for standard output')
    .option('--gzip', 'compress the files, or the stream')
    .addOption(
      new Option('--compression <codec>', 'of Parquet (default: snappy)').choices(PARQUET_COMPRESSIONS),
    )
    .option('--one-file', 'Parquet: all records in one file')
    .option('--events', 'write outages and failed backups as well, with start, end and cause')
    .action(async (_options, command: Command) => {
      const { exportFiles } = await import('./dataset.js');
      ended(await exportFiles(givenFlags(command), command.opts()));
    });

  addSettingOptions(program.command('answers'), ANSWERS_SETTINGS)
    .description('print what has to be found in a dataset: by day, by asset, and what happened when')
    .addOption(new Option('--format <format>', 'how to print it').choices(['json', 'csv']).default('json'))
    .addOption(new Option('--table <table>', 'with csv: which one (default: daily)').choices(ANSWER_TABLES))
    .option('--run <id>', 'of this run of a database (default: the newest one)')
    .option('--out <file>', 'write it into a file instead')
    .action(async (_options, command: Command) => {
      const { answers } = await import('./dataset.js');
      ended(await answers(givenFlags(command), command.opts()));
    });

  addSettingOptions(program.command('workload'), CONNECTION_SETTINGS)
    .description('read a loaded database as dashboards do, and compare the answers with the right ones')
    .option('--clients <n>', 'how many ask at a time (default: 8)')
    .option('--duration <time>', 'how long, such as 60s or 5m (default: 30s, unless --requests is given)')
    .option('--requests <n>', 'how many requests in all')
    .option('--rate <n>', 'requests a second in all; latency then counts from the intended start')
    .option('--mix <file>', 'how often each query is asked: a YAML or JSON file of shares')
    .option('--check-every <n>', 'compare one answer in so many; 0: none (default: 1)')
    .option('--with-inserts <n>', 'load so many records a second beside the reads')
    .option('--max-p95 <time>', 'exit status 1 where the p95 of a query is more, such as 50ms')
    .option('--max-wrong <n>', 'exit status 1 where more answers are wrong (default: 0)')
    .option('--max-errors <n>', 'exit status 1 where more requests fail (default: 0)')
    .option('--run <id>', 'the run whose dataset is asked for (default: the newest one)')
    .option('--html <file>', 'write a page: latency over time, how long answers took, by query')
    .option('--explain', 'show how the server would go about each query, and ask nothing else')
    .action(async (_options, command: Command) => {
      const { workload } = await import('./workload.js');
      ended(await workload(givenFlags(command), command.opts()));
    });

  addSettingOptions(program.command('serve'), ['port', 'logLevel', 'ascii'])
    .description('keep the embedded server up for other programs until Ctrl-C')
    .action(async (_options, command: Command) => {
      const { serve } = await import('./server.js');
      ended(await serve(givenFlags(command)));
    });

  addSettingOptions(program.command('fleet'), ['fleet'])
    .description('print the default fleet as a fleet file, or check the file of --fleet and print it')
    .addOption(new Option('--format <format>', 'how to print it').choices(['yaml', 'json']).default('yaml'))
    .option('--schema', 'print the JSON Schema of fleet files instead')
    .action(async ({ format, schema }: { format: FleetFormat; schema?: boolean }, command: Command) => {
      const flags = givenFlags(command);
      const { fleet, fleetSchema } = await import('./config.js');
      ended(schema ? fleetSchema() : await fleet(flags, format));
    });

  addSettingOptions(program.command('config'), FLAG_SETTINGS)
    .description('print the effective settings and where each comes from, secrets masked')
    .action(async (_options, command: Command) => {
      const { config } = await import('./config.js');
      ended(await config(givenFlags(command)));
    });

  program
    .command('completion')
    .description('print a script that completes commands, flags and values: bash, zsh or fish')
    .addArgument(new Argument('<shell>').choices(['bash', 'zsh', 'fish']))
    .action(async (shell: Shell, _options, command: Command) => {
      givenFlags(command);
      const { completionScript } = await import('./completion.js');
      process.stdout.write(completionScript(program, shell, Object.keys(TOPICS)));
      ended(ExitStatus.done);
    });

  program
    .command('help')
    .description('print the help of a command, or "help troubleshooting"')
    .argument('[topic]')
    .action(async (topic: string | undefined, _options, command: Command) => {
      givenFlags(command);
      if (topic !== undefined && topic in TOPICS) writeHelp(`${TOPICS[topic]}\n`);
      else (await named(topic)).outputHelp();
      ended(ExitStatus.done);
    });

  const named = async (topic: string | undefined): Promise<Command> => {
    if (topic === undefined) return program;
    return (
      program.commands.find((one) => one.name() === topic) ?? unknown('topic', topic, Object.keys(TOPICS))
    );
  };
  const unknown = async (kind: string, given: string, more: readonly string[] = []): Promise<never> => {
    const { didYouMean } = await import('../errors.js');
    const known = [...program.commands.map((one) => one.name()), ...more];
    return program.error(
      `unknown ${kind} '${given}': must be ${known.join(', ')}${didYouMean(given, known)}`,
    );
  };
  for (const command of program.commands) {
    command.version(VERSION, ...VERSION_OPTION).helpOption(...HELP_OPTION);
    command.helpGroup(GROUP_OF[command.name()] ?? 'Help:');
    command.addHelpText('after', COMMAND_HELP[command.name()] ?? '');
  }

  // Without a command the program loads. What stands there instead of a command is named as such.
  program.allowExcessArguments().action(async (options, command: Command) => {
    const [first] = command.args;
    if (first !== undefined) await unknown('command', first);
    await load(options, command);
  });
  return program;
}
