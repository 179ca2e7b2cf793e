/**
 * Pointer and arrow keys read single cells of heat maps, and their tables are made when they are
 * opened.
 */
import { type DatasetPicture, type MetricPicture, metricsOf } from '../../picture.js';
import { Clock, WEEK_ORDER, WEEKDAYS } from '../graphics.js';
import { quantity } from '../words.js';

// The page's data, as its script uses them.

export const picture = JSON.parse(document.getElementById('picture')?.textContent ?? '') as DatasetPicture;
export const clock = new Clock(picture.zone);

/** The metric that an element names by its machine's position and its own. */
function metricOf({ dataset: { machine, metric } }: HTMLElement): MetricPicture {
  return metricsOf(picture.machines[Number(machine)])[Number(metric)];
}

/** A colour of the style sheet. */
export function color(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

/** Calls back for arrow keys, Home and End, which would scroll otherwise. */
export function onKeys(element: HTMLElement, keys: Readonly<Record<string, () => void>>): void {
  element.addEventListener('keydown', (event) => {
    const act = keys[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  });
}

export function watchHeatMaps(): void {
  for (const cells of document.querySelectorAll<HTMLElement>('.cells')) watchCells(cells);
  for (const details of document.querySelectorAll<HTMLDetailsElement>('details.hourly')) {
    details.addEventListener('toggle', () => fillTable(details), { once: true });
  }
}

function watchCells(cells: HTMLElement): void {
  const { unit, heat } = metricOf(cells);
  const image = cells.querySelector('svg');
  const cursor = cells.querySelector<HTMLElement>('.cursor');
  const output = cells.parentElement?.querySelector('output');
  if (!image || !cursor || !output) return;
  const rest = output.textContent;
  let [row, hour] = [0, 0];
  const show = () => {
    const { left, top, width, height } = image.getBoundingClientRect();
    const frame = cells.getBoundingClientRect();
    const place = {
      left: left - frame.left + (hour * width) / 24,
      top: top - frame.top + (row * height) / 7,
      width: width / 24,
      height: height / 7,
    };
    for (const [side, pixels] of Object.entries(place)) cursor.style.setProperty(side, `${pixels}px`);
    cursor.hidden = false;
    const day = WEEK_ORDER[row];
    output.textContent = `${WEEKDAYS[day]} ${hour}:00–${hour + 1}:00, ${quantity(heat[day][hour], unit)}`;
  };
  const hide = () => {
    cursor.hidden = true;
    output.textContent = rest;
  };
  const move = (rows: number, hours: number) => () => {
    if (!cursor.hidden) {
      row = (row + rows + 7) % 7;
      hour = (hour + hours + 24) % 24;
    }
    show();
  };
  image.addEventListener('pointermove', (event) => {
    const { left, top, width, height } = image.getBoundingClientRect();
    hour = Math.min(23, Math.max(0, Math.floor(((event.clientX - left) / width) * 24)));
    row = Math.min(6, Math.max(0, Math.floor(((event.clientY - top) / height) * 7)));
    show();
  });
  image.addEventListener('pointerleave', hide);
  cells.addEventListener('blur', hide);
  onKeys(cells, {
    ArrowUp: move(-1, 0),
    ArrowDown: move(1, 0),
    ArrowLeft: move(0, -1),
    ArrowRight: move(0, 1),
    Escape: hide,
  });
}

/** Made when it is asked for: all tables together would be most of the page. */
function fillTable(details: HTMLDetailsElement): void {
  const { unit, heat } = metricOf(details);
  const cell = (name: 'th' | 'td', text: string) => {
    const one = document.createElement(name);
    one.textContent = text;
    if (name === 'th') one.scope = /^\d/.test(text) ? 'row' : 'col';
    else one.className = 'num';
    return one;
  };
  const table = document.createElement('table');
  const head = table.createTHead().insertRow();
  head.append(cell('th', 'Hour'), ...WEEK_ORDER.map((day) => cell('th', WEEKDAYS[day])));
  const body = table.createTBody();
  for (let hour = 0; hour < 24; hour++) {
    const values = WEEK_ORDER.map((day) => cell('td', quantity(heat[day][hour], unit)));
    body.insertRow().append(cell('th', `${hour}:00`), ...values);
  }
  details.querySelector('.scroll')?.replaceChildren(table);
}
