/** Backups as a calendar, and what they are worth. */
import { counted } from '../../report/format.js';
import type { BackupsPicture, DatasetPicture, MachinePicture } from '../picture.js';
import { type Clock, WEEKDAYS } from './clock.js';
import { html, type Markup } from './markup.js';
import { numberTable } from './table.js';
import { length, quantity } from './words.js';

/** A quarter; of a longer window the newest days are shown. */
const MOST_DAYS = 92;
/** More days than that have no room for their dates on paper. */
const MANY_DAYS = 35;

type BackedUp = MachinePicture & { readonly backups: BackupsPicture };

/** The calendar, and recovery points in a table. */
export function backups({ machines, window }: DatasetPicture, clock: Clock): Markup {
  const backedUp = machines.filter((machine): machine is BackedUp => machine.backups !== null);
  const last = clock.day(window.end - 1) + 1;
  const first = Math.max(clock.day(window.start), last - MOST_DAYS);
  const days = Array.from({ length: last - first }, (_, i) => first + i);
  const left = first - clock.day(window.start);
  return html`<section aria-labelledby="backups"><h2 id="backups">Backups</h2>
${
  backedUp.length === 0
    ? html`<p class="muted">This dataset has no backup history.</p>`
    : html`<p class="legend"><span class="key good">good</span><span class="key bad">failed</span>${left > 0 && html`<span class="muted">The newest ${counted(days.length, 'day')} of ${days.length + left}; the table below is of them all.</span>`}</p>
<div class="scroll newest" tabindex="0" role="region" aria-label="Calendar of backups"><table class="calendar ${days.length > MANY_DAYS && 'many'}"><thead><tr><td></td>${days.map((day, i) => dayHead(clock.midnight(day), clock, i === 0))}</tr></thead>
<tbody>${backedUp.map((machine) => calendarRow(machine, days, clock))}</tbody></table></div>
${recoveryTable(backedUp, clock)}`
}</section>`;
}

function dayHead(midnight: number, clock: Clock, first: boolean): Markup {
  const [date, month] = clock.date(midnight).split(' ');
  const weekday = WEEKDAYS[clock.weekday(midnight)];
  const classes = [weekday.startsWith('S') ? 'weekend' : '', weekday === 'Mon' ? 'monday' : ''].join(' ');
  return html`<th scope="col" class="${classes.trim()}"><abbr title="${weekday} ${clock.date(midnight, true)}">${(first || date === '1') && html`<i>${month}</i>`}<u>${weekday[0]}</u><b>${date}</b></abbr></th>`;
}

function calendarRow({ name, backups: { runs } }: BackedUp, days: readonly number[], clock: Clock): Markup {
  const byDay = new Map(runs.map((run) => [clock.day(run.at), run]));
  const cells = days.map((day) => {
    const run = byDay.get(day);
    if (!run) return html`<td></td>`;
    const { at, success } = run;
    return html`<td class="${success ? 'good' : 'bad'}" title="${clock.moment(at)} ${success ? 'good' : 'failed'}">${success ? '✓' : '✗'}</td>`;
  });
  return html`<tr><th scope="row"><span>${name}</span></th>${cells}</tr>`;
}

function recoveryTable(machines: readonly BackedUp[], clock: Clock): Markup {
  const expects = machines.some(({ backups: one }) => one.expected !== null);
  const heads = ['Machine', 'Recovery point', 'Worst gap', 'Success', ...(expects ? ['Expected'] : [])];
  const rows = machines.map(({ name, assetId, backups: one }) => ({
    head: html`${name}<small>${assetId}</small>`,
    cells: [
      length(one.recoveryPoint),
      length(one.worstRecoveryPoint),
      quantity(one.successRate, '%'),
      ...(expects ? [quantity(one.expected, '%', 0)] : []),
      `${one.succeeded} of ${one.attempted}`,
      clock.moment(one.lastGood),
    ],
  }));
  return html`<h3>Recovery points</h3>
<p class="muted">A recovery point is the age of the last good backup at the end of the period: what would be lost. The worst gap is the longest time without a good backup.</p>
${numberTable('Recovery points', [...heads, 'Good', 'Last good backup'], rows)}`;
}
