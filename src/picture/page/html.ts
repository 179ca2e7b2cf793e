/**
 * A picture as one page that needs nothing else: style, charting library, script and data stand in
 * it.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { counted } from '../../output/format.js';
import { oneLine } from '../../output/width.js';
import { VERSION } from '../../version.js';
import { EXPECTED_UPTIME } from '../expected.js';
import { type DatasetPicture, lastWeek, type MachinePicture, metricsOf, RESPONSE_TIME } from '../picture.js';
import { incidents, responseTimes } from './availability.js';
import { Clock, line } from './graphics.js';
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
<tbody>${picture.machines.map((machine, index) => row(machine, index, shown, picture))}</tbody></table></section>`;
}

/** The scale that the lines of a column share; of own metrics of one name the units may differ. */
function scaleNote({ machines }: DatasetPicture, name: string): Content {
  const found = machines.flatMap((one) => metricsOf(one).filter((metric) => metric.metricName === name));
  const notes = found.map(({ scale: { from, to, logarithmic }, unit }) => {
    return `${compact(from)}–${quantity(to, unit, 0)}${logarithmic ? ', log' : ''}`;
  });
  return new Set(notes).size === 1 && html`<small>${notes[0]}</small>`;
}

function row(
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
