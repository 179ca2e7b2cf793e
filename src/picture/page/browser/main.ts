/** Runs in the page: charts with a cursor, heat maps and incidents that are read one by one. */
import { type Outage, outagesOf } from '../../draw.js';
import { length, type PolledAsset, polledAssets } from '../words.js';
import { watchCharts } from './charts.js';
import { clock, onKeys, picture, watchHeatMaps } from './heat.js';

// Pointer and arrow keys read the incidents of the timeline: when each began, and how long it
// lasted.

/** Incidents of one cell that are read out; the others are counted. */
const MOST_READ = 4;

const { start, stepMinutes } = picture.timeline;

function watchTimeline(): void {
  const assets = polledAssets(picture);
  for (const track of document.querySelectorAll<HTMLElement>('.track')) {
    const asset = assets[Number(track.dataset.asset)];
    // It would lie over what is read here.
    track.removeAttribute('title');
    watch(track, asset);
  }
}

function watch(track: HTMLElement, asset: PolledAsset): void {
  const outages = outagesOf(asset.availability.incidents);
  let at = outages.length - 1;
  const read = (index: number) => {
    at = Math.min(outages.length - 1, Math.max(0, index));
    const outage = outages[at];
    if (outage)
      show(track, outage.from, outage.to, [`${asset.name}, ${at + 1} of ${outages.length}`, said(outage)]);
  };
  track.addEventListener('focus', () => track.matches(':focus-visible') && read(at));
  track.addEventListener('blur', hide);
  track.addEventListener('pointerleave', hide);
  track.addEventListener('pointermove', (event) => {
    const { left, width } = track.getBoundingClientRect();
    const cells = asset.availability.cells.down.length;
    const cell = Math.min(cells - 1, Math.max(0, Math.floor(((event.clientX - left) / width) * cells)));
    const from = start + cell * stepMinutes;
    const lines = linesOf(asset, outages, cell);
    if (lines.length === 0) hide();
    else show(track, from, from + stepMinutes, [asset.name, ...lines]);
  });
  onKeys(track, {
    ArrowLeft: () => read(at - 1),
    ArrowRight: () => read(at + 1),
    Home: () => read(0),
    End: () => read(outages.length - 1),
    Escape: hide,
  });
}

function linesOf({ availability }: PolledAsset, outages: readonly Outage[], cell: number): string[] {
  const [from, to] = [start + cell * stepMinutes, start + (cell + 1) * stepMinutes];
  const here = outages.filter((one) => one.from < to && one.to > from);
  const lines = here.slice(0, MOST_READ).map(said);
  if (here.length > MOST_READ) lines.push(`and ${here.length - MOST_READ} more`);
  const [down, degraded] = [availability.cells.down[cell], availability.cells.degraded[cell]];
  // Of incidents that are not listed one by one, the cell's minutes are known.
  if (here.length === 0 && down + degraded > 0)
    lines.push(`${clock.moment(from)} – ${until(from, to)}: ${parts(down, degraded)}`);
  return lines;
}

/** `2025-02-04 10:42 – 11:07, 25m: down 20m, degraded 5m`. */
function said({ from, to, down, degraded }: Outage): string {
  return `${clock.moment(from)} – ${until(from, to)}, ${length(to - from)}: ${parts(down, degraded)}`;
}

function until(from: number, to: number): string {
  return clock.day(from) === clock.day(to) ? clock.time(to) : clock.moment(to);
}

function parts(down: number, degraded: number): string {
  return [
    ...(down > 0 ? [`down ${length(down)}`] : []),
    ...(degraded > 0 ? [`degraded ${length(degraded)}`] : []),
  ].join(', ');
}

/** Marks a stretch of the track, and writes the lines below it. */
function show(track: HTMLElement, from: number, to: number, lines: readonly string[]): void {
  hide();
  const box = track.closest<HTMLElement>('.timeline');
  const tip = box?.querySelector<HTMLElement>('.tip');
  const cursor = track.querySelector<HTMLElement>('.cursor');
  const cells = Math.ceil((picture.window.end - start) / stepMinutes);
  if (!box || !tip || !cursor) return;
  const { left, bottom, width } = track.getBoundingClientRect();
  const frame = box.getBoundingClientRect();
  const place = (minute: number) => ((minute - start) / (cells * stepMinutes)) * width;
  cursor.style.left = `${place(from)}px`;
  cursor.style.width = `${Math.max(3, place(to) - place(from))}px`;
  cursor.hidden = false;
  tip.textContent = lines.join('\n');
  tip.hidden = false;
  const middle = left - frame.left + place((from + to) / 2) - tip.offsetWidth / 2;
  tip.style.left = `${Math.max(0, Math.min(frame.width - tip.offsetWidth - 2, middle))}px`;
  tip.style.top = `${bottom - frame.top + 6}px`;
}

function hide(): void {
  for (const one of document.querySelectorAll<HTMLElement>('.timeline .cursor, .tip')) one.hidden = true;
}

watchCharts();
watchHeatMaps();
watchTimeline();
