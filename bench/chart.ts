/** The bar chart of both tables: one SVG, readable on light and on dark. */
import type { Results } from './results.js';

interface Bar {
  readonly label: string;
  readonly value: number;
  readonly text: string;
  /** Least and most, where there were several rounds. */
  readonly range?: readonly [number, number];
  readonly kind: 'loader' | 'ceiling' | 'peer';
}

interface Panel {
  readonly title: string;
  readonly bars: readonly Bar[];
}

const WIDTH = 900;
const LABEL_WIDTH = 380;
const VALUE_WIDTH = 190;
const ROW = 24;
const TITLE = 40;

const STYLE = `
  text { font: 13px system-ui, sans-serif; fill: #1f2328; }
  .title { font-weight: 600; font-size: 15px; }
  .label { text-anchor: end; }
  .loader { fill: #1a7f5a; } .ceiling { fill: #8a6d1d; } .peer { fill: #7d8590; }
  .range { stroke: #1f2328; stroke-width: 1.5; } .axis { stroke: #7d8590; stroke-opacity: 0.5; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3; } .range { stroke: #e6edf3; }
    .loader { fill: #3fb98a; } .ceiling { fill: #c9a84a; }
  }`;

function plainText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('`', '');
}

function kindOf(id: string): Bar['kind'] {
  if (id.startsWith('ceiling')) return 'ceiling';
  return /^(buckets|sequence|bulkwrite|earlier)/.test(id) ? 'loader' : 'peer';
}

function panelsOf(results: Results): Panel[] {
  const panels: Panel[] = [];
  for (const layout of ['flat', 'timeseries'] as const) {
    // Generation alone writes nothing: it would dwarf what it stands beside.
    const entries = results.contestants.filter((entry) => entry.layout === layout && entry.serverCpuMicros);
    if (entries.length === 0) continue;
    const bars = entries.map(({ id, name, recordsPerSecond: { median, min, max } }) => ({
      label: name,
      value: median,
      text: Math.round(median).toLocaleString('en'),
      range: [min, max] as const,
      kind: kindOf(id),
    }));
    panels.push({ title: `Records a second, ${layout} layout, ${results.days} days`, bars });
  }
  for (const layout of ['flat', 'timeseries'] as const) {
    const rows = results.scaling.filter((row) => row.layout === layout);
    if (rows.length === 0) continue;
    const bars = rows.map(({ days, workers, recordsPerSecond, maxRssMb }) => ({
      label: `${days} ${days === 1 ? 'day' : 'days'}, ${workers} ${workers === 1 ? 'worker' : 'workers'}`,
      value: recordsPerSecond,
      text: `${recordsPerSecond.toLocaleString('en')} · ${Math.round(maxRssMb)} MB`,
      kind: 'loader' as const,
    }));
    panels.push({ title: `Records a second and peak memory, ${layout} layout`, bars });
  }
  return panels;
}

/** Beyond this many times the least, the least would be no more than a line. */
const LOGARITHMIC_FROM = 50;

/** How long a bar of a value is, in pixels, and the values at which a logarithmic axis has lines. */
interface Axis {
  readonly length: (value: number) => number;
  readonly lines: readonly number[];
}

function axisOf({ bars }: Panel): Axis {
  const room = WIDTH - LABEL_WIDTH - VALUE_WIDTH;
  const most = Math.max(...bars.map(({ value, range }) => Math.max(value, range?.[1] ?? 0)));
  const least = Math.min(...bars.map(({ value, range }) => Math.min(value, range?.[0] ?? value)));
  if (most / least < LOGARITHMIC_FROM) return { length: (value) => (value / most) * room, lines: [] };
  const first = Math.floor(Math.log10(least));
  const decades = Math.log10(most) - first;
  const length = (value: number) => ((Math.log10(value) - first) / decades) * room;
  const lines = Array.from({ length: Math.floor(decades) + 1 }, (_, i) => 10 ** (first + i));
  return { length, lines };
}

function drawPanel(panel: Panel, top: number): string[] {
  const axis = axisOf(panel);
  const scale = axis.lines.length > 0 ? ', logarithmic: a line is ten times the one before it' : '';
  const parts = [`<text class="title" x="10" y="${top + 24}">${plainText(panel.title)}${scale}</text>`];
  for (const line of axis.lines) {
    const x = (LABEL_WIDTH + axis.length(line)).toFixed(1);
    const bottom = top + TITLE + panel.bars.length * ROW - 4;
    parts.push(`<line class="axis" x1="${x}" x2="${x}" y1="${top + TITLE - 4}" y2="${bottom}"/>`);
  }
  for (const [i, bar] of panel.bars.entries()) {
    const y = top + TITLE + i * ROW;
    const length = axis.length(bar.value);
    const end = Math.max(length, bar.range ? axis.length(bar.range[1]) : 0);
    parts.push(
      `<text class="label" x="${LABEL_WIDTH - 8}" y="${y + 13}">${plainText(bar.label)}</text>`,
      `<rect class="${bar.kind}" x="${LABEL_WIDTH}" y="${y}" width="${length.toFixed(1)}" height="17" rx="2"/>`,
    );
    if (bar.range) {
      const [from, to] = bar.range.map((value) => (LABEL_WIDTH + axis.length(value)).toFixed(1));
      parts.push(`<line class="range" x1="${from}" x2="${to}" y1="${y + 8.5}" y2="${y + 8.5}"/>`);
    }
    parts.push(`<text x="${(LABEL_WIDTH + end + 8).toFixed(1)}" y="${y + 13}">${plainText(bar.text)}</text>`);
  }
  return parts;
}

/** Bars are medians, the line across a bar's end goes from the slowest round to the fastest. */
export function chartOf(results: Results): string {
  const parts: string[] = [];
  let top = 0;
  for (const panel of panelsOf(results)) {
    parts.push(...drawPanel(panel, top));
    top += TITLE + panel.bars.length * ROW + 14;
  }
  const size = `width="${WIDTH}" height="${top}" viewBox="0 0 ${WIDTH} ${top}"`;
  const title = '<title>Records a second of this loader and of its peers</title>';
  return `<svg xmlns="http://www.w3.org/2000/svg" role="img" ${size}>\n<style>${STYLE}\n</style>\n${title}\n${parts.join('\n')}\n</svg>\n`;
}
