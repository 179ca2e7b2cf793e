/** Small graphics as SVG. Coordinates have two digits at most; colours are classes, so that they follow the theme. */
import { condense, scaleTop } from '../sparkline.js';
import { html, type Markup, trusted } from './markup.js';

const HEAT_LEVELS = 10;
/** Monday first: how a working week is read. */
export const WEEK_ORDER = [1, 2, 3, 4, 5, 6, 0];

function short(value: number): string {
  return String(Math.round(value * 100) / 100);
}

/** A line of so many points, with gaps where nothing is known. Decoration: the numbers stand beside it. */
export function line(
  values: readonly (number | null)[],
  unit: string,
  className: string,
  points = 84,
): Markup {
  const top = scaleTop(values, unit) || 1;
  const means = condense(values, Math.min(points, values.length));
  let path = '';
  let drawing = false;
  for (const [x, value] of means.entries()) {
    if (value !== null) path += `${drawing ? 'L' : 'M'}${x} ${short(20 - (20 * value) / top)}`;
    drawing = value !== null;
  }
  return html`<svg class="spark ${className}" viewBox="0 -1 ${Math.max(1, means.length - 1)} 22" preserveAspectRatio="none" aria-hidden="true"><path d="${trusted(path)}"/></svg>`;
}

/** Hours across, weekdays down. One path a shade keeps it small. */
export function heatCells(heat: readonly (readonly (number | null)[])[], unit: string): Markup {
  const top = scaleTop(heat.flat(), unit) || 1;
  const paths = Array.from({ length: HEAT_LEVELS }, () => '');
  for (const [y, weekday] of WEEK_ORDER.entries()) {
    for (const [x, value] of (heat[weekday] ?? []).entries()) {
      if (value === null) continue;
      const level = Math.min(HEAT_LEVELS - 1, Math.max(0, Math.floor((value / top) * HEAT_LEVELS)));
      paths[level] += `M${x} ${y}h1v1h-1z`;
    }
  }
  const shades = paths.map(
    (path, level) => path !== '' && html`<path class="l${level}" d="${trusted(path)}"/>`,
  );
  return html`<svg viewBox="0 0 24 7" preserveAspectRatio="none" aria-hidden="true">${shades}</svg>`;
}

/** Stretches of a line of a thousand, each at least visible. */
export function stretches(
  spans: readonly (readonly [from: number, to: number])[],
  className: string,
): Markup | null {
  if (spans.length === 0) return null;
  const path = spans.map(([from, to]) => {
    const width = Math.max(2.5, (to - from) * 1000);
    return `M${short(Math.min(from * 1000, 1000 - width))} 0h${short(width)}v10h-${short(width)}z`;
  });
  return html`<path class="${className}" d="${trusted(path.join(''))}"/>`;
}
