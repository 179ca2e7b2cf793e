/**
 * How a workload went as one page: figures, latency over time, how long answers took, and a table by
 * query. Nothing is fetched and no script runs.
 */
import { count, duration } from '../../output/format.js';
import { VERSION } from '../../version.js';
import type { WorkloadReport } from '../../workload/workload.js';
import { STYLE } from './style.js';
import { html, type Markup, numberTable, trusted } from './words.js';

/** What is pictured. */
export interface WorkloadPicture extends Omit<WorkloadReport, 'busiestThread'> {
  readonly database: string;
  readonly inserted: number;
  /** Limits that are broken, as sentences. */
  readonly broken: readonly string[];
}

const OWN_STYLE = `
.plot{width:100%;height:auto;display:block;overflow:visible}
.plot text{font:12px system-ui,sans-serif;fill:var(--muted)}
.plot .grid{stroke:var(--line);stroke-width:1}
.plot .curve{fill:none;stroke:var(--c);stroke-width:2;stroke-linejoin:round}
.plot .bar{fill:var(--c)}
.key{display:inline-block;width:18px;height:3px;background:var(--c);vertical-align:middle;margin-right:6px}
@media(max-width:800px){.plot{min-width:760px}.plot text{font-size:15px}}
`;

/** The whole page, as HTML. Whatever the picture holds is shown as text. */
export function renderWorkload(picture: WorkloadPicture): string {
  const { database, queries, elapsedMs, clients, threads, inserted, broken } = picture;
  const all = queries.at(-1);
  const policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:";
  const figures: readonly (readonly [string, string, string])[] = [
    ['Requests', count(all?.requests ?? 0), `${count(Math.round(all?.perSecond ?? 0))} a second`],
    ['Wrong answers', count(all?.wrong ?? 0), `of ${count(all?.checked ?? 0)} that were compared`],
    ['Errors', count(all?.errors ?? 0), 'requests without an answer'],
    ['p95', msText(all?.p95Ms ?? 0), `p50 ${msText(all?.p50Ms ?? 0)}, p99 ${msText(all?.p99Ms ?? 0)}`],
  ];
  return html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="generator" content="seed-database ${VERSION}">
<title>Workload on ${database}</title><link rel="icon" href="data:,"><style>${trusted(STYLE + OWN_STYLE)}</style></head>
<body><div class="page"><header class="head"><p class="kicker">Workload</p><h1>Database ${database}</h1>
<p class="lead">${count(clients)} clients in ${threads} threads, ${duration(elapsedMs)}${inserted > 0 && html`, ${count(inserted)} records loaded beside them`}</p>
${broken.map((limit) => html`<p class="note">${limit}</p>`)}</header>
<main><dl class="keys">${figures.map(([name, value, note]) => html`<div><dt>${name}</dt><dd><strong>${value}</strong><span>${note}</span></dd></div>`)}</dl>
<section><h2>Latency over time</h2>${latencies(picture)}</section>
<section><h2>Requests a second</h2>${requests(picture)}</section>
<section><h2>How long answers took</h2>${histogram(picture)}</section>
<section><h2>By query</h2>${byQuery(picture)}</section></main>
<footer class="muted">Made by seed-database ${VERSION}.</footer></div></body></html>
`.text;
}

function byQuery({ queries }: WorkloadPicture): Markup {
  const heads = ['Query', 'Requests', 'A second', 'p50', 'p95', 'p99', 'Max', 'Errors', 'Wrong'];
  const rows = queries.map((one) => ({
    head: html`${one.query}${one.examples.map((example) => html`<small>${example}</small>`)}`,
    cells: [
      count(one.requests),
      count(Math.round(one.perSecond)),
      ...[one.p50Ms, one.p95Ms, one.p99Ms, one.maxMs].map(msText),
      count(one.errors),
      count(one.wrong),
    ],
  }));
  return numberTable('By query', heads, rows);
}

function msText(ms: number): string {
  if (ms >= 10_000) return `${(ms / 1_000).toFixed(1)} s`;
  return `${ms < 10 ? ms.toFixed(2) : ms.toFixed(1)} ms`;
}

// Charts, in a box of so many units, which the page scales.

const WIDTH = 960;
const HEIGHT = 260;
const LEFT = 64;
const BOTTOM = 30;
const TOP = 10;
const RIGHT = 12;
const CURVES = [
  ['p99', 'p99Ms', 'm2'],
  ['p95', 'p95Ms', 'm0'],
  ['p50', 'p50Ms', 'm1'],
] as const;

interface Tick {
  readonly at: number;
  readonly label: string;
}

const across = (share: number) => LEFT + share * (WIDTH - LEFT - RIGHT);
const up = (share: number) => HEIGHT - BOTTOM - share * (HEIGHT - BOTTOM - TOP);

function plot(label: string, ticks: readonly Tick[], below: readonly Tick[], content: Markup): Markup {
  return html`<div class="scroll" tabindex="0" role="region" aria-label="${label}"><svg class="plot" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${label}">
${ticks.map(({ at, label: text }) => html`<line class="grid" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${up(at).toFixed(1)}" y2="${up(at).toFixed(1)}"/><text x="${LEFT - 8}" y="${(up(at) + 4).toFixed(1)}" text-anchor="end">${text}</text>`)}
${below.map(({ at, label: text }) => html`<text x="${across(at).toFixed(1)}" y="${HEIGHT - 8}" text-anchor="middle">${text}</text>`)}
${content}</svg></div>`;
}

function latencies({ overTime, elapsedMs }: WorkloadPicture): Markup {
  const known = overTime.flatMap(({ p50Ms, p99Ms }) =>
    p50Ms === undefined || p99Ms === undefined ? [] : [p50Ms, p99Ms],
  );
  if (known.length === 0) return html`<p class="muted">No request was answered.</p>`;
  const least = Math.floor(Math.log10(Math.min(...known)));
  const most = Math.max(least + 1, Math.ceil(Math.log10(Math.max(...known))));
  const place = (ms: number) => (Math.log10(ms) - least) / (most - least);
  const ticks = Array.from({ length: most - least + 1 }, (_, i) => {
    const ms = 10 ** (least + i);
    return { at: place(ms), label: ms >= 1_000 ? `${ms / 1_000} s` : `${ms} ms` };
  });
  const curves = CURVES.map(([, field, color]) => {
    const points = overTime.map((point) => ({ x: point.fromMs / elapsedMs, y: point[field] }));
    return html`<path class="curve ${color}" d="${pathOf(points, place)}"/>`;
  });
  return html`<p class="legend">${CURVES.map(([name, , color]) => html`<span class="${color}"><i class="key"></i>${name}</span>`)}<span class="muted">logarithmic</span></p>
${plot('Latency over time', ticks, timeTicks(elapsedMs), html`${curves}`)}`;
}

/** With gaps where nothing is known. A single point is a short line: it would not be seen. */
function pathOf(
  points: readonly { readonly x: number; readonly y: number | undefined }[],
  place: (value: number) => number,
): string {
  let path = '';
  let drawing = false;
  for (const { x, y } of points) {
    if (y !== undefined) path += `${drawing ? 'L' : 'M'}${across(x).toFixed(1)} ${up(place(y)).toFixed(1)}`;
    if (y !== undefined && points.length === 1) path += 'h8';
    drawing = y !== undefined;
  }
  return path;
}

function requests({ overTime, elapsedMs }: WorkloadPicture): Markup {
  const most = roundUp(Math.max(1, ...overTime.map(({ perSecond }) => perSecond)));
  const ticks = [0, 0.5, 1].map((at) => ({ at, label: count(Math.round(at * most)) }));
  const points = overTime.map(({ fromMs, perSecond }) => ({ x: fromMs / elapsedMs, y: perSecond }));
  const curve = html`<path class="curve m0" d="${pathOf(points, (value) => value / most)}"/>`;
  return plot('Requests a second', ticks, timeTicks(elapsedMs), curve);
}

function histogram({ histogram: bars }: WorkloadPicture): Markup {
  if (bars.length === 0) return html`<p class="muted">No request was answered.</p>`;
  const most = roundUp(Math.max(...bars.map((bar) => bar.requests)));
  const ticks = [0, 0.5, 1].map((at) => ({ at, label: count(Math.round(at * most)) }));
  const every = Math.ceil(bars.length / 9);
  const below = bars
    .map(({ fromMs }, i) => ({ at: i / bars.length, label: msText(fromMs) }))
    .filter((_, i) => i % every === 0);
  const content = bars.map(({ fromMs, toMs, requests: number }, i) => {
    const [from, to] = [across(i / bars.length), across((i + 1) / bars.length)];
    const top = up(number / most);
    return html`<rect class="bar" x="${from.toFixed(1)}" y="${top.toFixed(1)}" width="${Math.max(1, to - from - 1).toFixed(1)}" height="${(up(0) - top).toFixed(1)}"><title>${msText(fromMs)} to ${msText(toMs)}: ${count(number)}</title></rect>`;
  });
  return plot('How long answers took', ticks, below, html`<g class="m0">${content}</g>`);
}

function timeTicks(elapsedMs: number): Tick[] {
  return [0, 0.25, 0.5, 0.75, 1].map((at) => ({ at, label: duration(at * elapsedMs) }));
}

/** To one or two digits that are easy to halve. */
function roundUp(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 4, 6, 8, 10].map((step) => step * power).find((step) => step >= value) ?? value;
}
