/** Each machine: a week of its metrics, hours against weekdays, and the manual's figures beside the measured ones. */
import type { DatasetPicture, FigurePicture, MachinePicture, MetricPicture } from '../picture.js';
import { condense, scaleTop } from '../sparkline.js';
import { heatCells, line, WEEK_ORDER } from './graphics.js';
import { html, type Markup } from './markup.js';
import { metricClass, metricLabel, quantity, shortDate, unitLabel, WEEKDAYS } from './words.js';

const MINUTES_PER_DAY = 1440;

export function machines(picture: DatasetPicture): Markup {
  return html`<section aria-labelledby="machines"><h2 id="machines">Machine by machine</h2>
${picture.machines.map((machine, index) => article(machine, index, picture))}</section>`;
}

function article(machine: MachinePicture, index: number, picture: DatasetPicture): Markup {
  const { assetId, name, assetType, pattern, metrics, figures } = machine;
  const units = [...new Set(metrics.map(({ unit }) => unit))];
  const charts = units.map((unit) => chart(machine, index, unit, picture));
  return html`<article class="card" id="machine-${index}"><h3>${name}<small>${assetId} · ${assetType.replaceAll('_', ' ')}${pattern !== null && html` · <code>${pattern}</code>`}</small></h3>
${
  metrics.length === 0
    ? html`<p class="muted">No performance metrics in this period.</p>`
    : html`<div class="${figures.length > 0 ? 'pair' : ''}"><div>${charts}${dailyTable(machine, picture)}</div>${figures.length > 0 && figureTable(figures)}</div>
<div class="heats">${metrics.map((metric, position) => heatMap(metric, index, position, name))}</div>`
}</article>`;
}

/** Drawn by the page's script; until then, and without scripts, a plain line for each metric. */
function chart(
  { name, metrics }: MachinePicture,
  index: number,
  unit: string,
  { week }: DatasetPicture,
): Markup {
  const shown = metrics.filter((metric) => metric.unit === unit);
  const labels = shown.map(({ metricName }) => metricLabel(metricName));
  const text = `${name}, the last seven days: ${shown
    .map(
      ({ metricName, mean, max }) =>
        `${metricLabel(metricName)} ${quantity(mean, unit)} on average, ${quantity(max, unit)} at most`,
    )
    .join('; ')}`;
  return html`<figure><figcaption>${labels.join(', ')}${unit !== '' && html` in ${unitLabel(unit)}`}: a week of means of ${week.stepMinutes} minutes</figcaption>
<div class="chart" role="group" aria-label="${text}" data-machine="${index}" data-unit="${unit}">${shown.map((metric) => line(metric.week, unit, metricClass(metric.metricName, metrics.indexOf(metric))))}</div></figure>`;
}

function dailyTable({ name, metrics }: MachinePicture, { week, window }: DatasetPicture): Markup {
  const length = Math.max(1, Math.round((window.end - week.start) / MINUTES_PER_DAY));
  const days = metrics.map((metric) => condense(metric.week, length));
  const rows = Array.from({ length }, (_, day) => {
    const cells = metrics.map(({ unit }, i) => html`<td class="num">${quantity(days[i][day], unit)}</td>`);
    return html`<tr><th scope="row">${shortDate(week.start + day * MINUTES_PER_DAY)}</th>${cells}</tr>`;
  });
  const whole = (label: string, pick: (metric: MetricPicture) => number | null) =>
    html`<tr><th scope="row">${label}</th>${metrics.map((metric) => html`<td class="num">${quantity(pick(metric), metric.unit)}</td>`)}</tr>`;
  return html`<details><summary>As a table</summary><div class="scroll" tabindex="0" role="region" aria-label="Means by day, ${name}"><table><thead><tr><th scope="col">From</th>${metrics.map(({ metricName }) => html`<th scope="col">${metricLabel(metricName)}</th>`)}</tr></thead><tbody>${rows}</tbody>
<tbody>${whole('Whole period', ({ mean }) => mean)}${whole('Lowest', ({ min }) => min)}${whole('Highest', ({ max }) => max)}${whole('Deviation', ({ deviation }) => deviation)}</tbody></table></div></details>`;
}

function heatMap(
  { metricName, unit, heat }: MetricPicture,
  machine: number,
  position: number,
  name: string,
): Markup {
  const label = metricLabel(metricName);
  const top = scaleTop(heat.flat(), unit);
  return html`<figure class="heat ${metricClass(metricName, position)}"><figcaption>${label} by hour and weekday<span class="muted">0–${top.toFixed(top < 10 ? 1 : 0)} ${unitLabel(unit)}</span></figcaption>
<div class="cells" tabindex="0" role="img" aria-label="${label} by hour and weekday, ${extremes(heat, unit)}. Arrow keys read single cells." data-machine="${machine}" data-metric="${position}"><span class="days" aria-hidden="true">${WEEK_ORDER.map((day) => html`<i>${WEEKDAYS[day]}</i>`)}</span>${heatCells(heat, unit)}<b class="cursor" hidden></b></div>
<p class="hours" aria-hidden="true"><i>0</i><i>6</i><i>12</i><i>18</i><i>24</i></p><output aria-live="polite">${extremes(heat, unit)}</output>
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
  const origin = figures.every(({ from }) => from === 'design') ? 'Design' : 'Manual';
  return html`<table class="figures"><caption>${origin} and measured, whole period</caption><thead><tr><th scope="col">Figure</th><th scope="col">${origin}</th><th scope="col">Measured</th></tr></thead><tbody>${figures.map(figureRow)}</tbody></table>`;
}

/** `9–17 h` stays on one line. */
function unbroken(text: string): string {
  return text.replace(/(\d)–(\d+) h/g, '$1–\u2060$2\u00a0h');
}

function figureRow({ what, promised, low, high, measured, held, unit }: FigurePicture): Markup {
  const verdict = held === null ? 'none' : held ? 'good' : 'bad';
  const words = held === null ? 'not measured' : held ? 'holds' : 'outside';
  const at = Math.min(100, Math.max(0, measured ?? 0));
  return html`<tr><th scope="row">${unbroken(what)}</th><td>${promised}</td><td class="num"><span class="verdict ${verdict}" title="${words}: taken as ${low} to ${high} ${unit}">${quantity(measured, unit)} <span>${words}</span></span>
<span class="bullet" aria-hidden="true" style="--low:${low};--high:${high};--at:${at}"><i></i>${measured !== null && html`<b></b>`}</span></td></tr>`;
}
