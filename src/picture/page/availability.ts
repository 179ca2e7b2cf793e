/** Incidents on a timeline: machines, and below each its services. */
import { counted, span } from '../../output/format.js';
import { outagesOf } from '../draw.js';
import { type DatasetPicture, lastWeek, type ResponsePicture } from '../picture.js';
import { type Clock, isTinted, line, type Tick, timelineCells } from './graphics.js';
import {
  type Content,
  compact,
  html,
  length,
  type Markup,
  metricClass,
  numberTable,
  type PolledAsset,
  polledAssets,
  quantity,
  share,
} from './words.js';

const MINUTES_PER_DAY = 1440;
/** Of more incidents the newest are in the table. */
const MOST_ROWS = 500;

/** The timeline, and the same in tables. */
export function incidents(picture: DatasetPicture, clock: Clock): Markup {
  const assets = polledAssets(picture);
  const ticks = clock.ticks(picture.window);
  const cell = span(picture.timeline.stepMinutes / MINUTES_PER_DAY);
  return html`<section aria-labelledby="incidents"><h2 id="incidents">Incidents</h2>
${
  assets.length === 0
    ? html`<p class="muted">This dataset has no polling history.</p>`
    : html`<p class="legend"><span class="key down">down</span><span class="key degraded">degraded</span></p>
<p class="muted">Every cell stands for ${cell.replace(/^1 /, 'one ')}. The height of its bar is the share of that time in which the asset was down or degraded, ${isTinted(picture) ? 'and a cell with any such minute is tinted' : 'and at least one pixel'}. Services are listed below the machine they run on. Point at a cell, or use the arrow keys, to read when each incident began and how long it lasted.</p>
<div class="timeline">${assets.map((asset, index) => row(asset, index, picture, ticks))}${axis(ticks, picture)}<output class="tip" aria-live="polite" hidden></output></div>
${omission(picture)}
<details><summary>Availability as a table</summary>${availabilityTable(assets)}</details>
<details><summary>Incidents as a table</summary>${incidentTable(assets, clock)}</details>`
}</section>`;
}

function omission({ omitted: { incidents } }: DatasetPicture): Content {
  if (incidents === 0) return null;
  return html`<p class="note">The bars count all incidents. Read one by one, and marked in the charts, are the newest; ${counted(incidents, 'older one')} ${incidents === 1 ? 'is' : 'are'} not.</p>`;
}

/** Of the timeline, 0 to 1; its last cell may end after the window. */
function placeOf(minute: number, { window, timeline: { start, stepMinutes } }: DatasetPicture): number {
  return (minute - start) / (Math.ceil((window.end - start) / stepMinutes) * stepMinutes);
}

function row(asset: PolledAsset, index: number, picture: DatasetPicture, ticks: readonly Tick[]): Markup {
  const { name, kind, availability } = asset;
  const { uptime, down, degraded, outages } = availability;
  const text = `${name}: ${counted(outages, 'incident')}, ${length(down)} down, ${length(degraded)} degraded`;
  const places = ticks.map(({ minute }) => placeOf(minute, picture));
  return html`<div class="row ${kind}"><span class="label">${name}</span>
<div class="track" role="img" aria-label="${text}" title="${text}" data-asset="${index}"${outages > 0 && html` tabindex="0"`}>${timelineCells(availability, picture, places)}<b class="cursor" hidden></b></div>
<span class="num">${share(uptime)}</span></div>`;
}

function axis(ticks: readonly Tick[], picture: DatasetPicture): Content {
  const labels = ticks.map(({ minute, label }) => {
    const at = placeOf(minute, picture);
    // Near the end there is no room for a label.
    return at < 0.9 && html`<span style="left:${(at * 100).toFixed(2)}%">${label}</span>`;
  });
  return html`<div class="row axis" aria-hidden="true"><span class="label"></span><div class="ticks">${labels}</div><span class="num">uptime</span></div>`;
}

function availabilityTable(assets: readonly PolledAsset[]): Markup {
  const expects = assets.some(({ availability }) => availability.expected !== null);
  const heads = ['Asset', 'Uptime', ...(expects ? ['Expected of its own faults'] : [])];
  const rows = assets.map(({ name, assetId, availability: one }) => ({
    head: html`${name}<small>${assetId}</small>`,
    cells: [
      share(one.uptime),
      ...(expects ? [quantity(one.expected, '%')] : []),
      length(one.down),
      length(one.degraded),
      one.outages,
    ],
  }));
  return numberTable('Availability', [...heads, 'Down', 'Degraded', 'Incidents'], rows);
}

function incidentTable(assets: readonly PolledAsset[], clock: Clock): Markup {
  const all = assets.flatMap(({ name, availability }) =>
    outagesOf(availability.incidents).map((outage) => ({ name, ...outage })),
  );
  all.sort((a, b) => b.from - a.from);
  const rows = all.slice(0, MOST_ROWS).map(({ name, from, to, down, degraded }) => ({
    head: name,
    cells: [clock.moment(from), clock.moment(to), length(to - from), length(down), length(degraded)],
  }));
  const heads = ['Asset', 'From', 'To', 'Lasted', 'Down', 'Degraded'];
  return html`${all.length > rows.length && html`<p class="muted">The newest ${rows.length}.</p>`}${numberTable('Incidents', heads, rows)}`;
}

// How fast machines and services answer.

export function responseTimes(picture: DatasetPicture): Markup {
  const rows = polledAssets(picture).flatMap(({ availability: { response, polled }, ...asset }) =>
    response ? [{ ...asset, response, polled }] : [],
  );
  if (rows.length === 0) return html``;
  const { from, to } = rows[0].response.scale;
  return html`<section aria-labelledby="response"><h2 id="response">Response times</h2>
<p class="muted">Of the polls that were answered. One that is not answered times out after 30 seconds: those are counted, and left out of lines and means. The lines are the last seven days, all on one logarithmic scale from ${compact(from)} to ${quantity(to, 'milliseconds')}, so that twice as slow is the same step up everywhere.</p>
<table class="response"><thead><tr><th scope="col">Asset</th><th scope="col">Last seven days</th><th scope="col">Mean</th><th scope="col">Slowest</th><th scope="col">Timed out</th></tr></thead><tbody>${rows.map(
    ({ name, kind, response, polled }) =>
      html`<tr class="${kind}"><th scope="row">${name}</th><td>${line(lastWeek(response.means, picture), response.scale, metricClass(response.metricName, 0))}</td><td class="num">${quantity(response.mean, 'milliseconds')}</td><td class="num">${quantity(response.max, 'milliseconds')}</td><td class="num">${timeouts(response, polled)}</td></tr>`,
  )}</tbody></table></section>`;
}

function timeouts({ timedOut }: ResponsePicture, polled: number): string {
  return timedOut === 0 || polled === 0 ? '0 %' : quantity((100 * timedOut) / polled, '%', 2);
}
