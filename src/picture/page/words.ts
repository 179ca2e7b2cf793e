/** Names, units and numbers as the page writes them. Shared with the page's script. */
import { count } from '../../output/format.js';
import { minutesText } from '../draw.js';
import { type AvailabilityPicture, type DatasetPicture, RESPONSE_TIME } from '../picture.js';

// HTML that is safe by construction: whatever is put into a template is escaped, unless it is
// markup itself.

/** Text that is HTML already. Only {@link html} and {@link trusted} make it. */
export class Markup {
  constructor(readonly text: string) {}
}

export type Content = Markup | string | number | null | undefined | false | readonly Content[];

/**
 * Markup of a template. Texts are escaped for elements and for attributes in double quotes; nothing
 * comes of null and false.
 */
export function html(parts: TemplateStringsArray, ...contents: readonly Content[]): Markup {
  return new Markup(parts.reduce((text, part, i) => text + render(contents[i - 1]) + part));
}

/** Text of this program's own that is markup. Never give it anything from elsewhere. */
export function trusted(text: string): Markup {
  return new Markup(text);
}

/** Data as the text of a `<script type="application/json">`: nothing in it can end the element. */
export function embeddedJson(data: object): Markup {
  return new Markup(JSON.stringify(data).replaceAll('<', '\\u003c'));
}

function render(content: Content): string {
  if (content === null || content === undefined || content === false) return '';
  if (content instanceof Markup) return content.text;
  if (typeof content === 'object') return content.map(render).join('');
  return String(content).replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

// A table of numbers; on a narrow screen every row is a card, whose numbers have their heads beside
// them.

export interface Row {
  /** What the row is about. */
  readonly head: Content;
  readonly cells: readonly Content[];
}

/** @param heads of the rows' heads, then of their cells */
export function numberTable(label: string, heads: readonly string[], rows: readonly Row[]): Markup {
  const [, ...labels] = heads;
  return html`<div class="scroll" tabindex="0" role="region" aria-label="${label}"><table class="cards"><thead><tr>${heads.map((head) => html`<th scope="col">${head}</th>`)}</tr></thead><tbody>${rows.map(
    ({ head, cells }) =>
      html`<tr><th scope="row">${head}</th>${cells.map((cell, i) => html`<td class="num" data-label="${labels[i]}">${cell}</td>`)}</tr>`,
  )}</tbody></table></div>`;
}

const METRIC_LABELS = new Map([
  ['cpu_usage', 'CPU'],
  ['memory_usage', 'Memory'],
  ['io_wait', 'I/O'],
  [RESPONSE_TIME, 'Response time'],
]);
const UNITS = new Map([
  ['percentage', '%'],
  ['milliseconds', 'ms'],
  ['celsius', '°C'],
  ['mbps', 'Mbit/s'],
]);
/** Colours of own metrics come after those of the metrics that all machines have. */
const OWN_COLORS = 3;

/** `cpu_usage` → CPU; others by their own name. */
export function metricLabel(metricName: string): string {
  return METRIC_LABELS.get(metricName) ?? metricName.replaceAll('_', ' ');
}

export function unitLabel(unit: string): string {
  return UNITS.get(unit) ?? unit;
}

/** A number without its unit: `15.2`, `152`, `1,520`, `20k`; no digits that say nothing. */
export function compact(value: number): string {
  const size = Math.abs(value);
  if (size >= 100_000) return size < 999_500 ? `${Math.round(value / 1000)}k` : value.toPrecision(2);
  if (size >= 99.95) return size === value ? count(value) : `−${count(size)}`;
  return String(Number(value.toFixed(size < 1 ? 2 : 1)));
}

/** `15.2 %`, `1,520 ms`; a dash of nothing. */
export function quantity(value: number | null | undefined, unit: string, digits = 1): string {
  if (value === null || value === undefined) return '–';
  const percent = unit === 'percentage' || unit === '%' || unit === 'points';
  return `${percent ? value.toFixed(digits) : compact(value)}\u00a0${unitLabel(unit)}`.trim();
}

/** Per cents to two digits. */
export function share(value: number | null): string {
  return quantity(value, '%', 2);
}

/** A length of time in minutes; a dash where there is none. */
export function length(minutes: number | null): string {
  return minutes === null ? '–' : minutesText(minutes);
}

/**
 * The class that gives a metric its colour: that of a metric that all machines have, or the n-th
 * other one.
 */
export function metricClass(metricName: string, position: number): string {
  const known = [...METRIC_LABELS.keys()].indexOf(metricName);
  return `m${known >= 0 ? known : METRIC_LABELS.size + (position % OWN_COLORS)}`;
}

// All assets that are polled: machines, and below each its services.

export interface PolledAsset {
  readonly name: string;
  readonly assetId: string;
  readonly kind: 'host' | 'service';
  readonly availability: AvailabilityPicture;
}

type Asset = Omit<PolledAsset, 'kind' | 'availability'> & {
  readonly availability: AvailabilityPicture | null;
};

/** In the order in which the page, and its script, number them. */
export function polledAssets(picture: DatasetPicture): PolledAsset[] {
  return picture.machines.flatMap((machine) => polledOf(picture, machine.assetId));
}

/** A machine and its services, as far as they are polled. */
export function polledOf({ machines, services }: DatasetPicture, hostId: string): PolledAsset[] {
  const polled = ({ name, assetId, availability }: Asset, kind: PolledAsset['kind']) =>
    availability ? [{ name, assetId, kind, availability }] : [];
  return [
    ...machines.filter(({ assetId }) => assetId === hostId).flatMap((one) => polled(one, 'host')),
    ...services.filter((one) => one.hostId === hostId).flatMap((one) => polled(one, 'service')),
  ];
}
