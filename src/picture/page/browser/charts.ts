/** Turns plain lines into charts that share a cursor and show the week that is chosen. */
import type uPlotClass from 'uplot';
import { span } from '../../../output/format.js';
import { type AvailabilityPicture, condense, type Grid, type MetricPicture } from '../../picture.js';
import { WEEKDAYS } from '../graphics.js';
import { compact, polledOf, quantity } from '../words.js';
import { clock, color, picture } from './heat.js';

/** The library, which stands in the page before this. */
declare const uPlot: typeof uPlotClass;

const HEIGHT = 210;
/** Of a chart on paper, in a card on a page of A4 or Letter. */
const PAPER_WIDTH = 600;
const DAY = 86_400;
/**
 * A longer range shows means of days, and no incident wider than it is: there would be nothing but
 * days' peaks and bands.
 */
const LONG = 62 * 1440;
/** Distances of ticks, in seconds: quarters of an hour to a year. */
const INCREMENTS = [
  900,
  3600,
  3 * 3600,
  6 * 3600,
  12 * 3600,
  ...[1, 2, 4, 7, 14, 28, 56, 112, 182, 364].map((n) => n * DAY),
];

interface Range {
  readonly from: number;
  readonly to: number;
}

const charts = new Map<HTMLElement, uPlotClass>();
let range: Range = {
  from: Math.max(picture.window.start, picture.window.end - 7 * 1440),
  to: picture.window.end,
};
/** While the page is being printed. */
let paper = false;

/**
 * Charts are drawn when they come near, and anew when their room, the theme or the week changes.
 */
export function watchCharts(): void {
  const places = [...document.querySelectorAll<HTMLElement>('.chart')];
  const resized = new ResizeObserver((entries) => {
    for (const { target } of entries) {
      const width = widthOf(target as HTMLElement);
      const chart = charts.get(target as HTMLElement);
      if (chart && !paper && chart.width !== width) chart.setSize({ width, height: HEIGHT });
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
  for (const place of places) near.observe(place);
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', drawAgain);
  // On paper all of them are drawn, in the colours of light.
  const print = (begins: boolean) => {
    paper = begins;
    document.documentElement.classList.toggle('paper', begins);
    if (begins) places.forEach(draw);
    else drawAgain();
  };
  addEventListener('beforeprint', () => print(true));
  addEventListener('afterprint', () => print(false));
  watchChooser();
}

function watchChooser(): void {
  const chooser = document.querySelector<HTMLFormElement>('.chooser');
  const weeks = chooser?.querySelector('select');
  if (!chooser || !weeks) return;
  chooser.hidden = false;
  const steps = [...chooser.querySelectorAll('button')];
  const choose = () => {
    const [from, to] = weeks.value.split(' ').map(Number);
    range = { from, to };
    for (const button of steps) {
      const next = weeks.options[weeks.selectedIndex + Number(button.dataset.step)];
      // Beyond the oldest week is the whole period, which is no week before it.
      button.disabled = !next || next.index === weeks.length - 1;
    }
    drawAgain();
  };
  weeks.addEventListener('change', choose);
  chooser.addEventListener('submit', (event) => event.preventDefault());
  for (const button of steps) {
    button.addEventListener('click', () => {
      weeks.selectedIndex += Number(button.dataset.step);
      choose();
    });
  }
  // Browsers remember what was chosen when a page is loaded again.
  weeks.selectedIndex = 0;
  choose();
}

function drawAgain(): void {
  for (const place of charts.keys()) draw(place);
}

function widthOf(place: HTMLElement): number {
  return paper ? PAPER_WIDTH : Math.max(200, place.clientWidth);
}

/** `Wed 5 Feb` at midnight, the time at other ticks; over months the date alone. */
function tick(second: number, increment: number): string {
  const minute = second / 60;
  if (increment >= 28 * DAY) return clock.date(minute, true);
  if (increment >= 7 * DAY) return clock.date(minute);
  const time = clock.time(minute);
  return time === '00:00' ? `${WEEKDAYS[clock.weekday(minute)]} ${clock.date(minute)}` : time;
}

interface Drawn {
  readonly metrics: readonly MetricPicture[];
  /** Whose incidents stand behind the lines. */
  readonly availability: readonly AvailabilityPicture[];
}

function drawnIn({ dataset: { machine, unit } }: HTMLElement): Drawn {
  const { assetId, metrics, availability } = picture.machines[Number(machine)];
  if (unit === undefined) {
    const assets = polledOf(picture, assetId).map((one) => one.availability);
    return { metrics: assets.flatMap(({ response }) => response ?? []), availability: assets };
  }
  return {
    metrics: metrics.filter((metric) => metric.unit === unit),
    availability: availability ? [availability] : [],
  };
}

/** The picture's means, and how many of them are one point of a chart. */
function shownMeans(): Grid & { readonly every: number } {
  const isLong = range.to - range.from > LONG;
  return { ...picture.means, every: isLong ? Math.ceil(1440 / picture.means.stepMinutes) : 1 };
}

function draw(place: HTMLElement): void {
  const legend = [...(place.parentElement?.querySelectorAll<HTMLElement>('.lines .line') ?? [])];
  const at = place.parentElement?.querySelector<HTMLElement>('.lines .at');
  const shown = (i: number) => charts.get(place)?.series[i + 1].show ?? true;
  const { metrics, availability } = drawnIn(place);
  const { start, stepMinutes, every } = shownMeans();
  const first = Math.max(0, Math.floor((range.from - start) / stepMinutes));
  const last = Math.ceil((range.to - start) / stepMinutes);
  const points = Math.ceil((last - first) / every);
  const seconds = Array.from({ length: points }, (_, i) => (start + (first + i * every) * stepMinutes) * 60);
  const values = metrics.map(({ means }) => {
    const shown = means.slice(first, last);
    return every === 1 ? [...shown] : condense(shown, points);
  });
  const step = place.parentElement?.querySelector('.step');
  if (step) step.textContent = span((stepMinutes * every) / 1440).replace(/^1 /, 'one ');
  const [ink, lines] = [color('--muted'), color('--line')];
  const axis = { stroke: ink, grid: { stroke: lines, width: 1 }, ticks: { stroke: lines, width: 1 } };
  const options: uPlotClass.Options = {
    width: widthOf(place),
    height: HEIGHT,
    tzDate: (second) => uPlot.tzDate(new Date(second * 1000), clock.zone),
    cursor: { sync: { key: 'charts' }, drag: { x: true, y: false } },
    legend: { show: false },
    // Half of the last label may stand beyond the last value.
    padding: [8, 38, 0, 0],
    scales: {
      x: { range: (_chart, low, high) => [low, high] },
      y: valueScale(metrics),
    },
    axes: [
      {
        ...axis,
        size: 34,
        space: 84,
        incrs: INCREMENTS,
        values: (_chart, splits, _axis, _space, increment) => splits.map((second) => tick(second, increment)),
      },
      {
        ...axis,
        // As wide as its longest label.
        size: (_chart, labels) => 18 + 7 * Math.max(2, ...(labels ?? []).map((label) => label?.length ?? 0)),
        values: (_chart, splits) => splits.map((value) => (value === null ? '' : compact(value))),
      },
    ],
    series: [
      {},
      ...metrics.map((_, i) => ({
        stroke: getComputedStyle(legend[i]).getPropertyValue('--c'),
        width: 1.5,
        show: shown(i),
      })),
    ],
    hooks: {
      drawClear: [(chart) => drawBands(chart, availability)],
      setCursor: [
        ({ cursor: { idx } }) => {
          if (at) at.textContent = typeof idx === 'number' ? clock.moment(seconds[idx] / 60) : '';
          for (const [i, entry] of legend.entries()) {
            const value = entry.querySelector('.value');
            const told = typeof idx === 'number' ? quantity(values[i][idx], metrics[i].unit) : '';
            if (value) value.textContent = told;
          }
        },
      ],
    },
  };
  charts.get(place)?.destroy();
  place.replaceChildren();
  const uplot = new uPlot(options, [seconds, ...values], place);
  const known = charts.has(place);
  charts.set(place, uplot);
  if (!known) for (const [i, entry] of legend.entries()) makeSwitch(place, entry, i);
}

/** Per cents up to 100, response times on the scale that all share, others from 0. */
function valueScale(metrics: readonly MetricPicture[]): uPlotClass.Scale {
  const scales = metrics.map(({ scale }) => scale);
  const from = Math.min(...scales.map((scale) => scale.from));
  const to = metrics[0].unit === 'percentage' ? 100 : Math.max(...scales.map((scale) => scale.to));
  return {
    range: [from, to > from ? to : from + 1],
    ...(scales[0].logarithmic ? { distr: 3, log: 10 } : {}),
  };
}

/** Incidents, behind the lines. */
function drawBands({ ctx, bbox, valToPos }: uPlotClass, availability: readonly AvailabilityPicture[]): void {
  ctx.save();
  ctx.globalAlpha = 0.3;
  for (const { incidents } of availability) {
    for (const { from, to, state } of incidents) {
      if (to <= range.from || from >= range.to) continue;
      const left = Math.max(bbox.left, valToPos(from * 60, 'x', true));
      const right = Math.min(bbox.left + bbox.width, valToPos(to * 60, 'x', true));
      ctx.fillStyle = color(`--${state}`);
      ctx.fillRect(left, bbox.top, Math.max(range.to - range.from > LONG ? 0 : 1, right - left), bbox.height);
    }
  }
  ctx.restore();
}

/** An entry of a legend switches its line on and off, by pointer and by keyboard. */
function makeSwitch(place: HTMLElement, entry: HTMLElement, index: number): void {
  entry.tabIndex = 0;
  entry.setAttribute('role', 'button');
  entry.setAttribute('aria-pressed', 'true');
  const toggle = () => {
    const chart = charts.get(place);
    const show = !chart?.series[index + 1].show;
    chart?.setSeries(index + 1, { show });
    entry.setAttribute('aria-pressed', String(show));
  };
  entry.addEventListener('click', toggle);
  entry.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter' && event.key !== ' ') return;
    event.preventDefault();
    toggle();
  });
}
