/** Incidents on a time line: machines, and below each its services. */
import { MINUTES_PER_DAY } from '../../plan/index.js';
import { counted } from '../../report/format.js';
import { outagesOf } from '../lasting.js';
import type { AvailabilityPicture, DatasetPicture } from '../picture.js';
import { stretches } from './graphics.js';
import { type Content, html, type Markup, trusted } from './markup.js';
import { length, moment, quantity, share, shortDate } from './words.js';

const MOST_TICKS = 7;

interface Row {
  readonly name: string;
  readonly assetId: string;
  readonly kind: 'host' | 'service';
  readonly availability: AvailabilityPicture;
}

/** The time line, and the same in tables. */
export function incidents(picture: DatasetPicture): Markup {
  const rows = rowsOf(picture);
  const ticks = ticksOf(picture.window);
  const { omitted } = picture;
  return html`<section aria-labelledby="incidents"><h2 id="incidents">Incidents</h2>
${
  rows.length === 0
    ? html`<p class="muted">This dataset has no polling history.</p>`
    : html`<p class="legend"><span class="key down">down</span><span class="key degraded">degraded</span><span class="muted">Services stand below the machine that they run on.</span></p>
<div class="timeline">${rows.map((row) => track(row, picture.window, ticks))}${axis(ticks)}</div>
${omitted.incidents > 0 && html`<p class="note">${counted(omitted.incidents, 'older incident')} left out.</p>`}
<details><summary>Availability as a table</summary>${availabilityTable(rows)}</details>
<details><summary>Every incident as a table</summary>${incidentTable(rows)}</details>`
}</section>`;
}

function rowsOf({ machines, services }: DatasetPicture): Row[] {
  return machines.flatMap((machine) => [
    ...rowOf(machine, 'host'),
    ...services.filter(({ hostId }) => hostId === machine.assetId).flatMap((one) => rowOf(one, 'service')),
  ]);
}

function rowOf(
  {
    name,
    assetId,
    availability,
  }: { name: string; assetId: string; availability: AvailabilityPicture | null },
  kind: Row['kind'],
): Row[] {
  return availability ? [{ name, assetId, kind, availability }] : [];
}

interface Tick {
  /** Of the window, 0 to 1. */
  readonly at: number;
  readonly label: string;
}

/** Midnights, a whole number of days apart. */
function ticksOf({ start, end }: DatasetPicture['window']): Tick[] {
  const step = Math.max(1, Math.ceil((end - start) / MINUTES_PER_DAY / MOST_TICKS)) * MINUTES_PER_DAY;
  const ticks: Tick[] = [];
  const first = Math.ceil(start / MINUTES_PER_DAY) * MINUTES_PER_DAY;
  for (let minute = first; minute < end; minute += step) {
    ticks.push({ at: (minute - start) / (end - start), label: shortDate(minute) });
  }
  return ticks;
}

function track(
  { name, kind, availability }: Row,
  { start, end }: DatasetPicture['window'],
  ticks: readonly Tick[],
): Markup {
  const spans = (state: string) =>
    availability.incidents
      .filter((one) => one.state === state)
      .map(({ from, to }) => [(from - start) / (end - start), (to - start) / (end - start)] as const);
  const grid = trusted(ticks.map(({ at }) => `M${(at * 1000).toFixed(1)} 0v10`).join(''));
  const { uptime, down, degraded, outages } = availability;
  const text = `${name}: ${counted(outages, 'incident')}, ${length(down)} down, ${length(degraded)} degraded`;
  return html`<div class="row ${kind}"><span class="label" title="${name}">${name}</span>
<svg viewBox="0 0 1000 10" preserveAspectRatio="none" role="img" aria-label="${text}"><title>${text}</title><path class="grid" d="${grid}"/>${stretches(spans('degraded'), 'degraded')}${stretches(spans('down'), 'down')}</svg>
<span class="num">${share(uptime)}</span></div>`;
}

function axis(ticks: readonly Tick[]): Content {
  const labels = ticks.map(
    ({ at, label }) => html`<span style="left:${(at * 100).toFixed(2)}%">${label}</span>`,
  );
  return html`<div class="row axis" aria-hidden="true"><span></span><div class="ticks">${labels}</div><span class="num">up</span></div>`;
}

function availabilityTable(rows: readonly Row[]): Markup {
  return html`<div class="scroll" tabindex="0" role="region" aria-label="Availability"><table><thead><tr><th scope="col">Asset</th><th scope="col">Up</th><th scope="col">Manual, own faults</th><th scope="col">Down</th><th scope="col">Degraded</th><th scope="col">Incidents</th><th scope="col">Mean response</th></tr></thead><tbody>${rows.map(
    ({ name, assetId, availability: one }) =>
      html`<tr><th scope="row">${name} <small>${assetId}</small></th><td class="num">${share(one.uptime)}</td><td class="num">${one.promised} %</td><td class="num">${length(one.down)}</td><td class="num">${length(one.degraded)}</td><td class="num">${one.outages}</td><td class="num">${quantity(one.meanResponseMs, 'ms', 0)}</td></tr>`,
  )}</tbody></table></div>`;
}

function incidentTable(rows: readonly Row[]): Markup {
  const all = rows.flatMap(({ name, availability }) =>
    outagesOf(availability.incidents).map((outage) => ({ name, ...outage })),
  );
  all.sort((a, b) => b.from - a.from);
  return html`<div class="scroll" tabindex="0" role="region" aria-label="Every incident"><table><thead><tr><th scope="col">From</th><th scope="col">Asset</th><th scope="col">To</th><th scope="col">Down</th><th scope="col">Degraded</th></tr></thead><tbody>${all.map(
    ({ name, from, to, down, degraded }) =>
      html`<tr><td class="num">${moment(from)}</td><th scope="row">${name}</th><td class="num">${moment(to)}</td><td class="num">${length(down)}</td><td class="num">${length(degraded)}</td></tr>`,
  )}</tbody></table></div>`;
}
