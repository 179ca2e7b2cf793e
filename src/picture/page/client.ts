/** Runs in the page: turns plain lines into charts with a cursor, and lets heat maps be read cell by cell. */
import type uPlotClass from 'uplot';
import type { DatasetPicture, MachinePicture, MetricPicture } from '../picture.js';

/** The library, which stands in the page before this. */
declare const uPlot: typeof uPlotClass;

const HEIGHT = 210;
const MONDAY_FIRST = [1, 2, 3, 4, 5, 6, 0];
const WEEKDAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const LABELS = new Map([
  ['cpu_usage', 'CPU'],
  ['memory_usage', 'Memory'],
  ['io_wait', 'I/O'],
]);
const UNITS = new Map([
  ['percentage', '%'],
  ['milliseconds', 'ms'],
]);

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
/** Distances of ticks, in seconds: quarters of an hour to days. */
const INCREMENTS = [900, 3600, 3 * 3600, 6 * 3600, 12 * 3600, 86_400, 2 * 86_400, 4 * 86_400];

const picture = JSON.parse(document.getElementById('picture')?.textContent ?? '') as DatasetPicture;
const charts = new Map<HTMLElement, uPlotClass>();

function color(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function quantity(value: number | null | undefined, unit: string): string {
  return value === null || value === undefined
    ? '–'
    : `${value.toFixed(1)}\u00a0${UNITS.get(unit) ?? unit}`.trim();
}

/** `Wed 5 Feb` at midnight, the time at other ticks. */
function tick(second: number): string {
  const date = new Date(second * 1000);
  if (second % 86_400 !== 0) return date.toISOString().slice(11, 16);
  return `${WEEKDAYS[date.getUTCDay()]} ${date.getUTCDate()} ${MONTHS[date.getUTCMonth()]}`;
}

/** The class that the page has given the metric, as the name of its colour. */
function colorOf({ metricName }: MetricPicture, { metrics }: MachinePicture): string {
  const known = [...LABELS.keys()].indexOf(metricName);
  const position = metrics.findIndex((one) => one.metricName === metricName);
  return color(`--m${known >= 0 ? known : 3 + (position % 3)}`);
}

function draw(place: HTMLElement): void {
  charts.get(place)?.destroy();
  const machine = picture.machines[Number(place.dataset.machine)];
  const unit = place.dataset.unit ?? '';
  const metrics = machine.metrics.filter((metric) => metric.unit === unit);
  const { start, stepMinutes } = picture.week;
  const seconds = metrics[0].week.map((_, i) => (start + i * stepMinutes) * 60);
  const [ink, lines] = [color('--muted'), color('--line')];
  const axis = { stroke: ink, grid: { stroke: lines, width: 1 }, ticks: { stroke: lines, width: 1 } };
  const options: uPlotClass.Options = {
    width: Math.max(200, place.clientWidth),
    height: HEIGHT,
    tzDate: (second) => uPlot.tzDate(new Date(second * 1000), 'Etc/UTC'),
    cursor: { sync: { key: 'week' }, drag: { x: true, y: false } },
    scales: {
      y: { range: (_chart, low, high) => [Math.min(0, low), unit === 'percentage' ? 100 : high * 1.1 || 1] },
    },
    axes: [
      { ...axis, size: 34, space: 72, incrs: INCREMENTS, values: (_chart, seconds) => seconds.map(tick) },
      { ...axis, size: 46 },
    ],

    series: [
      { label: 'UTC', value: '{YYYY}-{MM}-{DD} {HH}:{mm}' },
      ...metrics.map((metric) => ({
        label: LABELS.get(metric.metricName) ?? metric.metricName.replaceAll('_', ' '),
        stroke: colorOf(metric, machine),
        width: 1.5,
        value: (_chart: uPlotClass, value: number | null) => quantity(value, unit),
      })),
    ],
  };
  place.replaceChildren();
  const chart = new uPlot(options, [seconds, ...metrics.map(({ week }) => [...week])], place);
  charts.set(place, chart);
  // The legend's entries switch lines on and off: by keyboard, too.
  for (const entry of place.querySelectorAll<HTMLElement>('.u-series:not(:first-child) th')) {
    entry.tabIndex = 0;
    entry.setAttribute('role', 'button');
    const tell = () =>
      entry.setAttribute('aria-pressed', String(!entry.parentElement?.classList.contains('u-off')));
    tell();
    entry.addEventListener('click', () => queueMicrotask(tell));
    entry.addEventListener('keydown', (event) => {
      if (event.key !== 'Enter' && event.key !== ' ') return;
      event.preventDefault();
      entry.click();
    });
  }
}

/** Charts are drawn when they come near, and anew when their room or the theme changes. */
function watchCharts(): void {
  const resized = new ResizeObserver((entries) => {
    for (const { target } of entries) {
      const chart = charts.get(target as HTMLElement);
      const width = Math.max(200, target.clientWidth);
      if (chart && chart.width !== width) chart.setSize({ width, height: HEIGHT });
    }
  });
  const near = new IntersectionObserver(
    (entries) => {
      for (const { target, isIntersecting } of entries) {
        if (!isIntersecting) continue;
        near.unobserve(target);
        draw(target as HTMLElement);
        resized.observe(target);
      }
    },
    { rootMargin: '600px' },
  );
  for (const place of document.querySelectorAll('.chart')) near.observe(place);
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
    for (const place of charts.keys()) draw(place);
  });
}

/** Pointer and arrow keys read single cells of a heat map. */
function watchHeat(cells: HTMLElement): void {
  const { unit, heat } =
    picture.machines[Number(cells.dataset.machine)].metrics[Number(cells.dataset.metric)];
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
    const day = MONDAY_FIRST[row];
    output.textContent = `${WEEKDAYS[day]} ${hour}:00–${hour + 1}:00, ${quantity(heat[day][hour], unit)}`;
  };
  const hide = () => {
    cursor.hidden = true;
    output.textContent = rest;
  };
  image.addEventListener('pointermove', (event) => {
    const { left, top, width, height } = image.getBoundingClientRect();
    hour = Math.min(23, Math.max(0, Math.floor(((event.clientX - left) / width) * 24)));
    row = Math.min(6, Math.max(0, Math.floor(((event.clientY - top) / height) * 7)));
    show();
  });
  image.addEventListener('pointerleave', hide);
  cells.addEventListener('blur', hide);
  const moves: Readonly<Record<string, readonly [rows: number, hours: number]>> = {
    ArrowUp: [-1, 0],
    ArrowDown: [1, 0],
    ArrowLeft: [0, -1],
    ArrowRight: [0, 1],
  };
  cells.addEventListener('keydown', (event) => {
    const move = moves[event.key];
    if (!move) return;
    event.preventDefault();
    if (!cursor.hidden) {
      row = (row + move[0] + 7) % 7;
      hour = (hour + move[1] + 24) % 24;
    }
    show();
  });
}

/** A heat map's table is made when it is asked for: all of them would be most of the page. */
function watchTable(details: HTMLDetailsElement): void {
  const { unit, heat } =
    picture.machines[Number(details.dataset.machine)].metrics[Number(details.dataset.metric)];
  const fill = () => {
    const cell = (name: 'th' | 'td', text: string) => {
      const one = document.createElement(name);
      one.textContent = text;
      if (name === 'th') one.scope = /^\d/.test(text) ? 'row' : 'col';
      else one.className = 'num';
      return one;
    };
    const table = document.createElement('table');
    const head = table.createTHead().insertRow();
    head.append(cell('th', 'Hour'), ...MONDAY_FIRST.map((day) => cell('th', WEEKDAYS[day])));
    const body = table.createTBody();
    for (let hour = 0; hour < 24; hour++) {
      const values = MONDAY_FIRST.map((day) => cell('td', quantity(heat[day][hour], unit)));
      body.insertRow().append(cell('th', `${hour}:00`), ...values);
    }
    details.querySelector('.scroll')?.replaceChildren(table);
  };
  details.addEventListener('toggle', fill, { once: true });
}

watchCharts();
for (const details of document.querySelectorAll<HTMLDetailsElement>('details.hourly')) watchTable(details);
for (const cells of document.querySelectorAll<HTMLElement>('.cells')) watchHeat(cells);
