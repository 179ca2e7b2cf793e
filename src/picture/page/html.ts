/**
 * A picture as one page that needs nothing else: style, charting library, script and data stand in
 * it.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { counted, span } from '../../output/format.js';
import { oneLine } from '../../output/width.js';
import { VERSION } from '../../version.js';
import { outagesOf } from '../draw.js';
import { EXPECTED_UPTIME } from '../expected.js';
import {
  type DatasetPicture,
  lastWeek,
  type MachinePicture,
  metricsOf,
  RESPONSE_TIME,
  type ResponsePicture,
} from '../picture.js';
import { Clock, isTinted, line, type Tick, timelineCells } from './graphics.js';
import { backups, machines } from './machines.js';
import { STYLE } from './style.js';
import {
  type Content,
  compact,
  embeddedJson,
  html,
  length,
  type Markup,
  metricClass,
  metricLabel,
  numberTable,
  type PolledAsset,
  polledAssets,
  quantity,
  share,
  trusted,
} from './words.js';

const resolve = createRequire(import.meta.url).resolve;

/** The whole page, as HTML. Whatever the picture holds is shown as text. */
export function renderPage(picture: DatasetPicture): string {
  const clock = new Clock(picture.zone);
  const scripts = [
    scriptText(readFileSync(resolve('uplot/dist/uPlot.iife.min.js'), 'utf8')),
    // By the package's own name: this module may be in a bundle, and the browser's script is not.
    scriptText(readFileSync(resolve('seed-database/page-script'), 'utf8')),
  ];
  const [library, script] = scripts.map(trusted);
  const style = trusted(readFileSync(resolve('uplot/dist/uPlot.min.css'), 'utf8') + STYLE);
  // Nothing is fetched, and no script runs but these two, whatever the data might hold.
  const policy = `default-src 'none'; style-src 'unsafe-inline'; img-src data:; script-src ${scripts.map(hashSource).join(' ')}`;
  return html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="generator" content="seed-database ${VERSION}">
<title>${titleOf(picture)}</title><link rel="icon" href="data:,"><style>${style}</style></head>
<body><a class="skip" href="#overview">Skip to the content</a><div class="page">
${pageHeader(picture, clock)}
<nav aria-label="Sections"><a href="#overview">At a glance</a><a href="#incidents">Incidents</a><a href="#response">Response times</a><a href="#backups">Backups</a><a href="#machines">Machines</a></nav>
<main>${keyFigures(picture)}${overview(picture)}${incidents(picture, clock)}${responseTimes(picture)}${backups(picture, clock)}${machines(picture, clock)}</main>
<footer class="muted">Made by seed-database ${VERSION}. The page holds its data as JSON, in the element “picture”.</footer></div>
<script type="application/json" id="picture">${embeddedJson(picture)}</script>
<script>${library}</script><script type="module">${script}</script></body></html>
`.text;
}

/** Nothing in a script may end its element. */
function scriptText(source: string): string {
  return source.replace(/<\/(script)/gi, '<\\/$1').replaceAll('<!--', '<\\!--');
}

function hashSource(script: string): string {
  return `'sha256-${createHash('sha256').update(script).digest('base64')}'`;
}

// The head of the page, its key figures, and one line for each machine.

/** Metrics with a column of their own, beside response time; the others are with their machine. */
const COLUMNS = 3;

export function titleOf({ source }: DatasetPicture): string {
  return source.kind === 'model' ? 'Preview of a dataset' : `Database ${oneLine(source.database)}`;
}

/** What is pictured, in a sentence or two. */
function pageHeader(picture: DatasetPicture, clock: Clock): Markup {
  const { source, window, counts, zone } = picture;
  const origin =
    source.kind === 'model'
      ? html`seed <b>${source.seed}</b>, model version ${source.modelVersion}; no database was read`
      : html`${source.server}, layout ${source.layout}${source.seed === null ? '' : html`, seed <b>${source.seed}</b>`}`;
  return html`<header class="head">
<p class="kicker">Infrastructure telemetry</p>
<h1>${titleOf(picture)}</h1>
<p class="lead"><b>${clock.period(window)} ${zone}</b> · ${counted(counts.machines, 'machine')} and ${counted(counts.services, 'service')}</p>
<p class="muted">${origin}. All times are ${zone}${zone !== 'UTC' && ', the time zone of the fleet; records are stored in UTC'}.</p>
${omission(picture)}</header>`;
}

function omission({ omitted, machines }: DatasetPicture): Content {
  if (omitted.machines === 0) return null;
  const left = `${counted(omitted.machines, 'machine')} and ${counted(omitted.services, 'service')}`;
  return html`<p class="note">The first ${counted(machines.length, 'machine')} are shown, with their services; ${left} are not.</p>`;
}

/** The numbers to look at first. */
function keyFigures({ uptime, backups, figures, machines, services }: DatasetPicture): Markup {
  const expects = machines.some(
    ({ availability }) => availability !== null && availability.expected !== null,
  );
  const ages = machines.flatMap(({ backups: own }) => own?.recoveryPoint ?? []);
  const success = backups.attempted === 0 ? null : (100 * backups.succeeded) / backups.attempted;
  return html`<dl class="keys">
${key('Uptime of machines', share(uptime.machines), expects ? `expected of own faults alone: ${EXPECTED_UPTIME.machine} %` : 'of polled minutes')}
${key('Uptime of services', share(uptime.services), expects ? `expected of own faults alone: ${EXPECTED_UPTIME.service} %` : 'of polled minutes')}
${key('Response time', responseOf(machines), `mean of machines; of services ${responseOf(services)}`)}
${key('Good backups', quantity(success, '%'), `${backups.succeeded} of ${backups.attempted}`)}
${key('Oldest recovery point', ages.length === 0 ? '–' : length(Math.max(...ages)), 'since the last good backup')}
${figures.measured > 0 && key('Expected and measured', `${figures.within} of ${figures.measured}`, 'figures are within their ranges')}
</dl>`;
}

/** The mean of all answered polls. */
function responseOf(assets: readonly Pick<MachinePicture, 'availability'>[]): string {
  const all = assets.flatMap(({ availability }) => availability?.response ?? []);
  const records = all.reduce((sum, one) => sum + one.records, 0);
  const ms = all.reduce((sum, one) => sum + (one.mean ?? 0) * one.records, 0);
  return quantity(records === 0 ? null : ms / records, 'milliseconds');
}

function key(name: string, value: string, note: string): Markup {
  return html`<div><dt>${name}</dt><dd><strong>${value}</strong><span>${note}</span></dd></div>`;
}

/** One row for each machine: a week of its first metrics, availability, backups. */
export function overview(picture: DatasetPicture): Markup {
  const names = [...new Set(picture.machines.flatMap(({ metrics }) => metrics.map((one) => one.metricName)))];
  const shown = [...names.slice(0, COLUMNS), RESPONSE_TIME];
  const heads = shown.map(
    (name) => html`<th scope="col">${metricLabel(name)}${scaleNote(picture, name)}</th>`,
  );
  return html`<section aria-labelledby="overview"><h2 id="overview">Machines at a glance</h2>
<p class="muted">The lines are the last seven days, the numbers means of the whole period. All machines share one scale per metric, so that lines can be compared.</p>
<table class="glance"><thead><tr><th scope="col">Machine</th>${heads}<th scope="col">Uptime</th><th scope="col">Backups</th><th scope="col">Recovery point</th></tr></thead>
<tbody>${picture.machines.map((machine, index) => machineRow(machine, index, shown, picture))}</tbody></table></section>`;
}

/** The scale that the lines of a column share; of own metrics of one name the units may differ. */
function scaleNote({ machines }: DatasetPicture, name: string): Content {
  const found = machines.flatMap((one) => metricsOf(one).filter((metric) => metric.metricName === name));
  const notes = found.map(({ scale: { from, to, logarithmic }, unit }) => {
    return `${compact(from)}–${quantity(to, unit, 0)}${logarithmic ? ', log' : ''}`;
  });
  return new Set(notes).size === 1 && html`<small>${notes[0]}</small>`;
}

function machineRow(
  machine: MachinePicture,
  index: number,
  shown: readonly string[],
  picture: DatasetPicture,
): Markup {
  const { assetId, name, pattern, assetType, availability, backups } = machine;
  const cells = shown.map((metricName, position) => {
    const metric = metricsOf(machine).find((one) => one.metricName === metricName);
    const label = metricLabel(metricName);
    if (!metric) return html`<td class="line" data-label="${label}">–</td>`;
    return html`<td class="line" data-label="${label}"><span class="cell">${line(lastWeek(metric.means, picture), metric.scale, metricClass(metricName, position))}<span class="num">${quantity(metric.mean, metric.unit)}</span></span></td>`;
  });
  return html`<tr><th scope="row"><a href="#machine-${index}">${name}</a><small>${assetId} · ${pattern ?? assetType}</small></th>${cells}
<td data-label="Uptime" class="num">${share(availability?.uptime ?? null)}</td>
<td data-label="Backups" class="num">${backups ? `${backups.succeeded} of ${backups.attempted}` : '–'}</td>
<td data-label="Recovery point" class="num">${length(backups?.recoveryPoint ?? null)}</td></tr>`;
}

// Incidents on a timeline: machines, and below each its services.

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
<div class="timeline">${assets.map((asset, index) => timelineRow(asset, index, picture, ticks))}${axis(ticks, picture)}<output class="tip" aria-live="polite" hidden></output></div>
${olderIncidents(picture)}
<details><summary>Availability as a table</summary>${availabilityTable(assets)}</details>
<details><summary>Incidents as a table</summary>${incidentTable(assets, clock)}</details>`
}</section>`;
}

function olderIncidents({ omitted: { incidents } }: DatasetPicture): Content {
  if (incidents === 0) return null;
  return html`<p class="note">The bars count all incidents. Read one by one, and marked in the charts, are the newest; ${counted(incidents, 'older one')} ${incidents === 1 ? 'is' : 'are'} not.</p>`;
}

/** Of the timeline, 0 to 1; its last cell may end after the window. */
function placeOf(minute: number, { window, timeline: { start, stepMinutes } }: DatasetPicture): number {
  return (minute - start) / (Math.ceil((window.end - start) / stepMinutes) * stepMinutes);
}

function timelineRow(
  asset: PolledAsset,
  index: number,
  picture: DatasetPicture,
  ticks: readonly Tick[],
): Markup {
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

function responseTimes(picture: DatasetPicture): Markup {
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
