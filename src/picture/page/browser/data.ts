/** The page's data, as its script uses them. */
import type { DatasetPicture, MetricPicture } from '../../picture.js';
import { metricsOf } from '../../series.js';
import { Clock } from '../clock.js';

export const picture = JSON.parse(document.getElementById('picture')?.textContent ?? '') as DatasetPicture;
export const clock = new Clock(picture.zone);

/** The metric that an element names by its machine's position and its own. */
export function metricOf({ dataset: { machine, metric } }: HTMLElement): MetricPicture {
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
