/** The head of the page, its key figures, and one line for each machine. */
import { counted } from '../../report/format.js';
import { oneLine } from '../../report/harmless.js';
import { EXPECTED_UPTIME } from '../expected.js';
import type { DatasetPicture, MachinePicture } from '../picture.js';
import { RESPONSE_TIME } from '../scale.js';
import { lastWeek, metricsOf } from '../series.js';
import type { Clock } from './clock.js';
import { line } from './graphics.js';
import { type Content, html, type Markup } from './markup.js';
import { compact, length, metricClass, metricLabel, quantity, share } from './words.js';

/** Metrics with a column of their own, beside response time; the others are with their machine. */
const COLUMNS = 3;

export function titleOf({ source }: DatasetPicture): string {
  return source.kind === 'model' ? 'Preview of a dataset' : `Database ${oneLine(source.database)}`;
}

/** What is pictured, in a sentence or two. */
export function pageHeader(picture: DatasetPicture, clock: Clock): Markup {
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
export function keyFigures({ uptime, backups, figures, machines, services }: DatasetPicture): Markup {
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
