/** Backups: one a day for each machine, at night. */
import type { BackupJob, Fleet, Machine, MachineType } from '../fleet/types.js';
import { existence } from './disturbances.js';
import { isMonday, type LocalTime, MINUTES_PER_DAY, weekday } from './local-time.js';
import { baseCurves, changed, changeOf, stream, unseededStream } from './patterns.js';

/** What came of a backup that started at a minute (UTC, since the epoch). */
export interface Backup {
  readonly minute: number;
  readonly success: boolean;
}

/** When each machine's backup of a local day is, in minutes of that day. */
export type BackupSchedule = (machine: Machine, day: number) => number;

/** Backups start between 01:00 and 04:59. */
const FIRST_MINUTE = 60;
const LAST_MINUTE = 299;
/**
 * A job starts its targets one after the other, this many minutes apart, and never to the minute.
 */
const MINUTES_APART = 15;
const START_JITTER = 10;

const JOB_STARTS = { daily_2am: 120, weekly_sunday_1am: 60 } as const;

/**
 * The schedule of a fleet: a machine is backed up by its weekly job on Sundays, else by its daily
 * job, else at a time of its own. It does not depend on the seed: the plan, which counts records,
 * knows none.
 */
export function backupSchedule(fleet: Pick<Fleet, 'jobs'>): BackupSchedule {
  const daily = positions(fleet.jobs, 'daily_2am');
  const weekly = positions(fleet.jobs, 'weekly_sunday_1am');
  return ({ assetId }, day) => {
    const random = unseededStream(assetId, 'backup_minute', day);
    const onSunday = weekday(day) === 0 ? weekly.get(assetId) : undefined;
    if (onSunday !== undefined) return startOf('weekly_sunday_1am', onSunday, random());
    const everyDay = daily.get(assetId);
    if (everyDay !== undefined) return startOf('daily_2am', everyDay, random());
    return FIRST_MINUTE + Math.floor(random() * (LAST_MINUTE - FIRST_MINUTE + 1));
  };
}

/** Each target's position in its job. */
function positions(jobs: readonly BackupJob[], schedule: BackupJob['schedule']): Map<string, number> {
  const found = new Map<string, number>();
  for (const job of jobs) {
    if (job.schedule !== schedule) continue;
    for (const [position, target] of job.targets.entries())
      if (!found.has(target)) found.set(target, position);
  }
  return found;
}

function startOf(schedule: BackupJob['schedule'], position: number, chance: number): number {
  const start = JOB_STARTS[schedule];
  const places = Math.floor((LAST_MINUTE + 1 - start) / MINUTES_APART);
  return start + (position % places) * MINUTES_APART + Math.floor(chance * START_JITTER);
}

/**
 * A backup that is to start: its minute (UTC, since the epoch), and what the local clock shows
 * then.
 */
export interface ScheduledBackup {
  readonly minute: number;
  readonly localDay: number;
  readonly localMinute: number;
}

/** The backups of a machine that start in a period of UTC minutes since the epoch, half open. */
export function* backupsBetween(
  schedule: BackupSchedule,
  local: LocalTime,
  machine: Machine,
  from: number,
  to: number,
): Generator<ScheduledBackup> {
  const there = existence(machine, { start: from, end: to });
  if (!there) return;
  const firstDay = local.stretches(Math.floor(from / MINUTES_PER_DAY))[0].day;
  const lastDay = local.stretches(Math.floor((to - 1) / MINUTES_PER_DAY)).at(-1)?.day ?? firstDay;
  for (let localDay = firstDay; localDay <= lastDay; localDay++) {
    const localMinute = schedule(machine, localDay);
    const minute = local.toUtc(localDay, localMinute);
    if (minute >= there.start && minute < there.end) yield { minute, localDay, localMinute };
  }
}

/**
 * Failures in the long run, by type of machine (the manual's success rates: 98, 97, 95 and 92 %).
 */
const FAILURE_RATE: Readonly<Record<MachineType, number>> = {
  proxmox_node: 0.02,
  physical_host: 0.03,
  vm: 0.05,
  container: 0.08,
};

const MONDAY = 1.6;
/** So that the week's mean is 1. */
const OTHER_DAYS = (7 - MONDAY) / 6;
/** Everybody backs up between 2 and 4. */
const CONTENTION = 1.08;
const NO_CONTENTION = 0.94;
const LEAKING = 1.4;

/** Whether the backup of a machine that starts at `minute` of a local day succeeds. */
export function backupSucceeds(seed: number, machine: Machine, day: number, minute: number): boolean {
  const { cpu, backupSuccess } = machine.parameters ?? {};
  const contended = minute >= 120 && minute < 240;
  const { scale, offset } = changeOf(cpu);
  const load = changed(baseCurves(machine.pattern, day).cpu[minute], scale, offset) / 100;
  const usual = backupSuccess === undefined ? FAILURE_RATE[machine.assetType] : 1 - backupSuccess / 100;
  const failureRate =
    usual *
    (isMonday(day) ? MONDAY : OTHER_DAYS) *
    (contended ? CONTENTION : NO_CONTENTION) *
    (0.95 + 0.3 * load) *
    (machine.pattern === 'memory_leak_pattern' ? LEAKING : 1);
  return stream(seed, machine.assetId, 'backup_status', day)() >= failureRate;
}
