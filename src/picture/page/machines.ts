/**
 * Each machine: its metrics and response times, hours against weekdays, and what is expected beside
 * what is measured.
 */
import { counted, span } from '../../output/format.js';
import {
  type BackupsPicture,
  condense,
  type DatasetPicture,
  type FigurePicture,
  lastWeek,
  type MachinePicture,
  type MetricPicture,
  metricsOf,
} from '../picture.js';
import { type Clock, heatCells, heatRamp, line, WEEK_ORDER, WEEKDAYS } from './graphics.js';
import {
  type Content,
  compact,
  html,
  length,
  type Markup,
  metricClass,
  metricLabel,
  numberTable,
  polledOf,
  quantity,
  unitLabel,
} from './words.js';

const MINUTES_PER_DAY = 1440;
const WEEK = 7 * MINUTES_PER_DAY;

export function machines(picture: DatasetPicture, clock: Clock): Markup {
  return html`<section aria-labelledby="machines" class="machines"><h2 id="machines">Machine by machine</h2>
<p class="muted">Bands behind the lines are incidents: of the machine, and behind response times of its services as well. Heat maps show means by hour and weekday; all machines share one scale per metric.</p>
${picture.figures.measured > 0 && html`<p class="muted"><b>Expected and measured:</b> each machine of the default fleet follows a load pattern, of which certain figures are expected, such as a high CPU load in office hours. They are measured over the whole period. The bar shows the range that counts as expected in green, and the measured value as a mark. Over a short period a figure may well be outside its range.</p>`}
${weekChooser(picture, clock)}
${picture.machines.map((machine, index) => article(machine, index, picture, clock))}</section>`;
}

/** Shown by the page's script, which draws the charts. */
function weekChooser({ window: { start, end } }: DatasetPicture, clock: Clock): Content {
  if (end - start <= WEEK) return null;
  const weeks = Array.from({ length: Math.ceil((end - start) / WEEK) }, (_, i) => {
    const to = end - i * WEEK;
    return { from: Math.max(start, to - WEEK), to };
  });
  return html`<form class="chooser" hidden><label for="weeks">Charts show</label> <select id="weeks">${weeks.map(
    ({ from, to }) =>
      html`<option value="${from} ${to}">${clock.date(from)} – ${clock.date(to - 1, true)}</option>`,
  )}<option value="${start} ${end}">the whole period</option></select> <button type="button" data-step="1">Earlier</button> <button type="button" data-step="-1">Later</button></form>`;
}

function article(machine: MachinePicture, index: number, picture: DatasetPicture, clock: Clock): Markup {
  const { assetId, name, assetType, pattern, metrics, figures } = machine;
  const units = [...new Set(metrics.map(({ unit }) => unit))];
  const all = metricsOf(machine);
  return html`<article class="card" id="machine-${index}"><h3>${name}<small>${assetId} · ${assetType.replaceAll('_', ' ')}${pattern !== null && html` · <code>${pattern}</code>`}</small></h3>
${
  all.length === 0
    ? html`<p class="muted">No metrics in this period.</p>`
    : html`<div class="${figures.length > 0 && 'pair'}"><div>${units.map((unit) => loadChart(machine, index, unit, picture))}${responseChart(machine, index, picture)}${dailyTable(machine, picture, clock)}</div>${figures.length > 0 && figureTable(figures)}</div>
<div class="heats">${all.map((metric, position) => heatMap(metric, index, position, name))}</div>`
}</article>`;
}

/** A line of a chart. */
interface Series {
  readonly label: string;
  readonly className: string;
  readonly metric: MetricPicture;
}

function loadChart(machine: MachinePicture, index: number, unit: string, picture: DatasetPicture): Markup {
  const { metrics } = machine;
  const series = metrics.flatMap((metric, position): Series[] => {
    const { metricName } = metric;
    if (metric.unit !== unit) return [];
    return [{ metric, label: metricLabel(metricName), className: metricClass(metricName, position) }];
  });
  const title = html`${series.map(({ label }) => label).join(', ')}${unit !== '' && html` in ${unitLabel(unit)}`}`;
  return chart(machine, title, series, html`data-machine="${index}" data-unit="${unit}"`, picture);
}

/** Of the machine and its services. */
function responseChart(machine: MachinePicture, index: number, picture: DatasetPicture): Content {
  const series = polledOf(picture, machine.assetId).flatMap(({ name, availability }, position): Series[] => {
    const metric = availability.response;
    return metric ? [{ metric, label: name, className: `m${(position + 3) % 7}` }] : [];
  });
  if (series.length === 0) return null;
  const title = html`Response time in ms, logarithmic, of answered polls`;
  return chart(machine, title, series, html`data-machine="${index}" data-response`, picture);
}

/** Drawn by the page's script; until then, and without scripts, a plain line for each metric. */
function chart(
  { name }: MachinePicture,
  title: Markup,
  series: readonly Series[],
  data: Markup,
  picture: DatasetPicture,
): Markup {
  const figures = series.map(
    ({ label, metric: { mean, max, unit } }) =>
      `${label} ${quantity(mean, unit)} on average, ${quantity(max, unit)} at most`,
  );
  const step = span(picture.means.stepMinutes / MINUTES_PER_DAY).replace(/^1 /, 'one ');
  return html`<figure><figcaption>${title}: means of <span class="step">${step}</span></figcaption>
<div class="chart" role="group" aria-label="${name}: ${figures.join('; ')}" ${data}>${series.map(({ metric, className }) => line(lastWeek(metric.means, picture), metric.scale, className))}</div>
<div class="lines"><span class="at num"></span>${series.map(({ label, className }) => html`<span class="line ${className}">${label} <span class="num value"></span></span>`)}<span class="key down">down</span><span class="key degraded">degraded</span></div></figure>`;
}

function dailyTable(machine: MachinePicture, picture: DatasetPicture, clock: Clock): Markup {
  const { window } = picture;
  const metrics = metricsOf(machine);
  const length = Math.max(1, Math.round(Math.min(WEEK, window.end - window.start) / MINUTES_PER_DAY));
  const days = metrics.map((metric) => condense(lastWeek(metric.means, picture), length));
  const rows = Array.from({ length }, (_, day) => {
    const cells = metrics.map(({ unit }, i) => html`<td class="num">${quantity(days[i][day], unit)}</td>`);
    const from = Math.max(window.start, window.end - (length - day) * MINUTES_PER_DAY);
    return html`<tr><th scope="row">${clock.moment(from)}</th>${cells}</tr>`;
  });
  const whole = (label: string, pick: (metric: MetricPicture) => number | null) =>
    html`<tr><th scope="row">${label}</th>${metrics.map((metric) => html`<td class="num">${quantity(pick(metric), metric.unit)}</td>`)}</tr>`;
  return html`<details><summary>The last seven days as a table</summary><div class="scroll" tabindex="0" role="region" aria-label="Means by day, ${machine.name}"><table><thead><tr><th scope="col">24 hours from</th>${metrics.map(({ metricName }) => html`<th scope="col">${metricLabel(metricName)}</th>`)}</tr></thead><tbody>${rows}</tbody>
<tbody>${whole('Whole period', ({ mean }) => mean)}${whole('Lowest', ({ min }) => min)}${whole('Highest', ({ max }) => max)}${whole('Deviation', ({ deviation }) => deviation)}</tbody></table></div></details>`;
}

function heatMap(metric: MetricPicture, machine: number, position: number, name: string): Markup {
  const { metricName, unit, heat, scale } = metric;
  const label = metricLabel(metricName);
  return html`<figure class="heat ${metricClass(metricName, position)}"><figcaption>${label} <span class="ramps">${compact(scale.from)} ${heatRamp()} ${compact(scale.to)} ${unitLabel(unit)}${scale.logarithmic && ', log'}</span></figcaption>
<div class="cells" tabindex="0" role="img" aria-label="${label} by hour and weekday, ${extremes(heat, unit)}. Arrow keys read single cells." data-machine="${machine}" data-metric="${position}"><span class="days" aria-hidden="true">${WEEK_ORDER.map((day) => html`<i>${WEEKDAYS[day]}</i>`)}</span>${heatCells(heat, scale)}<b class="cursor" hidden></b></div>
<p class="hours" aria-hidden="true"><i>0</i><i>6</i><i>12</i><i>18</i><i>24 h</i></p><output aria-live="polite">${extremes(heat, unit)}</output>
<details class="hourly" data-machine="${machine}" data-metric="${position}"><summary>As a table</summary><div class="scroll" tabindex="0" role="region" aria-label="${label} by hour and weekday, ${name}"></div></details></figure>`;
}

function extremes(heat: MetricPicture['heat'], unit: string): string {
  const cells = heat.flatMap((row, day) =>
    row.flatMap((value, hour) => (value === null ? [] : [{ value, at: `${WEEKDAYS[day]} ${hour}:00` }])),
  );
  if (cells.length === 0) return 'no data';
  cells.sort((a, b) => a.value - b.value);
  const [lowest, highest] = [cells[0], cells[cells.length - 1]];
  return `highest ${highest.at}, ${quantity(highest.value, unit)}; lowest ${lowest.at}, ${quantity(lowest.value, unit)}`;
}

function figureTable(figures: readonly FigurePicture[]): Markup {
  return html`<table class="figures"><caption>Expected and measured</caption><thead><tr><th scope="col">Figure</th><th scope="col">Expected</th><th scope="col">Measured</th></tr></thead><tbody>${figures.map(figureRow)}</tbody></table>`;
}

/** `9–17 h` and `15 %` stay on one line. */
function unbroken(text: string): string {
  return text.replace(/(\d)–(\d+) h/g, '$1–\u2060$2\u00a0h').replace(/(\d) %/g, '$1\u00a0%');
}

function figureRow({ what, expected, low, high, measured, within, unit }: FigurePicture): Markup {
  const verdict = within === null ? 'none' : within ? 'good' : 'bad';
  const words = within === null ? 'not measured' : within ? 'within' : 'outside';
  const at = Math.min(100, Math.max(0, measured ?? 0));
  return html`<tr><th scope="row">${unbroken(what)}</th><td>${unbroken(expected)}<small>${low} to ${high} ${unit}</small></td><td><span class="verdict ${verdict}"><span class="num">${quantity(measured, unit)}</span> <span>${words}</span></span>
<span class="bullet" aria-hidden="true" style="--low:${low};--high:${high};--at:${at}"><i></i>${measured !== null && html`<b></b>`}</span></td></tr>`;
}

// Backups as a calendar, and what they are worth.

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
