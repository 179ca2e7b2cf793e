/** The head of the page, its key figures, and one line for each machine. */

import { instantOf } from '../../plan/index.js';
import { counted, period } from '../../report/format.js';
import { oneLine } from '../../report/harmless.js';
import { PROMISED_UPTIME } from '../manual-figures.js';
import type { DatasetPicture, MachinePicture } from '../picture.js';
import { line } from './graphics.js';
import { type Content, html, type Markup } from './markup.js';
import { length, metricClass, metricLabel, quantity, share } from './words.js';

/** Metrics with a column of their own; the others are with their machine. */
const COLUMNS = 3;

export function titleOf({ source }: DatasetPicture): string {
  return source.kind === 'model' ? 'Preview of a dataset' : `Database ${oneLine(source.database)}`;
}

/** What is pictured, in a sentence or two. */
export function pageHeader(picture: DatasetPicture): Markup {
  const { source, window, counts, zone } = picture;
  const dates = period({ start: instantOf(window.start), end: instantOf(window.end) });
  const origin =
    source.kind === 'model'
      ? html`seed <b>${source.seed}</b>, model version ${source.modelVersion}; nothing of it is in a database yet`
      : html`${source.server}, layout ${source.layout}${source.seed === null ? '' : html`, seed <b>${source.seed}</b>`}`;
  return html`<header class="head">
<p class="kicker">Infrastructure telemetry</p>
<h1>${titleOf(picture)}</h1>
<p class="lead"><b>${dates}</b> · ${counted(counts.machines, 'machine')} and ${counted(counts.services, 'service')}</p>
<p class="muted">${origin}. Hours and weekdays are ${zone}.</p>
${omission(picture)}</header>`;
}

function omission({ omitted, machines }: DatasetPicture): Content {
  if (omitted.machines === 0) return null;
  const left = `${counted(omitted.machines, 'machine')} and ${counted(omitted.services, 'service')}`;
  return html`<p class="note">The first ${counted(machines.length, 'machine')} are drawn, with their services; ${left} are not.</p>`;
}

/** The numbers to look at first. */
export function keyFigures({ uptime, backups, figures, machines }: DatasetPicture): Markup {
  const ages = machines.flatMap(({ backups: own }) => own?.recoveryPoint ?? []);
  const success = backups.attempted === 0 ? null : (100 * backups.succeeded) / backups.attempted;
  return html`<dl class="keys">
${key('Uptime of machines', share(uptime.machines), `manual: ${PROMISED_UPTIME.machine} %, own faults`)}
${key('Uptime of services', share(uptime.services), `manual: ${PROMISED_UPTIME.service} %, own faults alone`)}
${key('Good backups', quantity(success, '%'), `${backups.succeeded} of ${backups.attempted}`)}
${key('Oldest recovery point', ages.length === 0 ? '–' : length(Math.max(...ages)), 'since the last good backup')}
${figures.measured > 0 && key('Figures of the manual', `${figures.held} of ${figures.measured}`, 'hold in this period')}
</dl>`;
}

function key(name: string, value: string, note: string): Markup {
  return html`<div><dt>${name}</dt><dd><strong>${value}</strong><span>${note}</span></dd></div>`;
}

/** One row for each machine: a week of its first metrics, availability, backups. */
export function overview(picture: DatasetPicture): Markup {
  const names = [...new Set(picture.machines.flatMap(({ metrics }) => metrics.map((one) => one.metricName)))];
  const shown = names.slice(0, COLUMNS);
  const heads = shown.map((name) => html`<th scope="col">${metricLabel(name)}</th>`);
  return html`<section aria-labelledby="overview"><h2 id="overview">Machines at a glance</h2>
<p class="muted">The lines are the last seven days; the numbers are means of the whole period.</p>
<table class="glance"><thead><tr><th scope="col">Machine</th>${heads}<th scope="col">Uptime</th><th scope="col">Backups</th><th scope="col">Recovery point</th></tr></thead>
<tbody>${picture.machines.map((machine, index) => row(machine, index, shown))}</tbody></table></section>`;
}

function row(machine: MachinePicture, index: number, shown: readonly string[]): Markup {
  const { assetId, name, pattern, assetType, metrics, availability, backups } = machine;
  const cells = shown.map((metricName, position) => {
    const metric = metrics.find((one) => one.metricName === metricName);
    const label = metricLabel(metricName);
    if (!metric) return html`<td class="line" data-label="${label}">–</td>`;
    return html`<td class="line" data-label="${label}"><span class="cell">${line(metric.week, metric.unit, metricClass(metricName, position))}<span class="num">${quantity(metric.mean, metric.unit)}</span></span></td>`;
  });
  return html`<tr><th scope="row"><a href="#machine-${index}">${name}</a><small>${assetId} · ${pattern ?? assetType}</small></th>${cells}
<td data-label="Uptime" class="num">${share(availability?.uptime ?? null)}</td>
<td data-label="Backups" class="num">${backups ? `${backups.succeeded} of ${backups.attempted}` : '–'}</td>
<td data-label="Recovery point" class="num">${length(backups?.recoveryPoint ?? null)}</td></tr>`;
}
