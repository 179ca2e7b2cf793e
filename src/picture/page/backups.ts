/** Backups as a calendar, and what they are worth. */
import { MINUTES_PER_DAY } from '../../plan/index.js';
import { counted } from '../../report/format.js';
import type { BackupsPicture, DatasetPicture, MachinePicture } from '../picture.js';
import { html, type Markup } from './markup.js';
import { length, moment, quantity, shortDate, WEEKDAYS, weekdayOf } from './words.js';

/** A quarter; of a longer window the newest days are shown. */
const MOST_DAYS = 92;

type BackedUp = MachinePicture & { readonly backups: BackupsPicture };

/** The calendar, and recovery points in a table. */
export function backups({ machines, window }: DatasetPicture): Markup {
  const backedUp = machines.filter((machine): machine is BackedUp => machine.backups !== null);
  const last = Math.ceil(window.end / MINUTES_PER_DAY);
  const first = Math.max(Math.floor(window.start / MINUTES_PER_DAY), last - MOST_DAYS);
  const days = Array.from({ length: last - first }, (_, i) => first + i);
  const left = first - Math.floor(window.start / MINUTES_PER_DAY);
  return html`<section aria-labelledby="backups"><h2 id="backups">Backups</h2>
${
  backedUp.length === 0
    ? html`<p class="muted">This dataset has no backup history.</p>`
    : html`<p class="legend"><span class="key good">good</span><span class="key bad">failed</span>${left > 0 && html`<span class="muted">The newest ${counted(days.length, 'day')}.</span>`}</p>
<div class="scroll" tabindex="0" role="region" aria-label="Calendar of backups"><table class="calendar"><thead><tr><td></td>${days.map((day, i) => dayHead(day, i === 0))}</tr></thead>
<tbody>${backedUp.map((machine) => calendarRow(machine, days))}</tbody></table></div>
${recoveryTable(backedUp)}`
}</section>`;
}

function dayHead(day: number, first: boolean): Markup {
  const minute = day * MINUTES_PER_DAY;
  const [date, month] = shortDate(minute).split(' ');
  const weekday = WEEKDAYS[weekdayOf(minute)];
  const quiet = weekday.startsWith('S') ? 'weekend' : '';
  return html`<th scope="col" class="${quiet}"><abbr title="${weekday} ${shortDate(minute)}">${(first || date === '1') && html`<i>${month}</i>`}${weekday[0]}<b>${date}</b></abbr></th>`;
}

function calendarRow({ name, backups: { runs } }: BackedUp, days: readonly number[]): Markup {
  const byDay = new Map(runs.map((run) => [Math.floor(run.at / MINUTES_PER_DAY), run]));
  const cells = days.map((day) => {
    const run = byDay.get(day);
    if (!run) return html`<td></td>`;
    const { at, success } = run;
    return html`<td class="${success ? 'good' : 'bad'}" title="${moment(at)} ${success ? 'good' : 'failed'}">${success ? '✓' : '✗'}</td>`;
  });
  return html`<tr><th scope="row">${name}</th>${cells}</tr>`;
}

function recoveryTable(machines: readonly BackedUp[]): Markup {
  return html`<h3>Recovery points</h3>
<p class="muted">The age of the last good backup at the end of the period: what would be lost. The worst gap is the longest time without a new one.</p>
<div class="scroll" tabindex="0" role="region" aria-label="Recovery points"><table><thead><tr><th scope="col">Machine</th><th scope="col">Recovery point</th><th scope="col">Worst gap</th><th scope="col">Success</th><th scope="col">Manual</th><th scope="col">Good</th><th scope="col">Last good backup</th></tr></thead><tbody>${machines.map(
    ({ name, assetId, backups: one }) =>
      html`<tr><th scope="row">${name} <small>${assetId}</small></th><td class="num">${length(one.recoveryPoint)}</td><td class="num">${length(one.worstRecoveryPoint)}</td><td class="num">${quantity(one.successRate, '%')}</td><td class="num">${quantity(one.promised, '%', 0)}</td><td class="num">${one.succeeded} of ${one.attempted}</td><td class="num">${moment(one.lastGood)}</td></tr>`,
  )}</tbody></table></div>`;
}
