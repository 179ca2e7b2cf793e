/** How fast machines and services answer. */
import type { DatasetPicture, ResponsePicture } from '../picture.js';
import { lastWeek } from '../series.js';
import { polledAssets } from './assets.js';
import { line } from './graphics.js';
import { html, type Markup } from './markup.js';
import { compact, metricClass, quantity } from './words.js';

export function responseTimes(picture: DatasetPicture): Markup {
  const rows = polledAssets(picture).flatMap(({ availability: { response, polled }, ...asset }) =>
    response ? [{ ...asset, response, polled }] : [],
  );
  if (rows.length === 0) return html``;
  const { from, to } = rows[0].response.scale;
  return html`<section aria-labelledby="response"><h2 id="response">Response times</h2>
<p class="muted">Of the polls that were answered. One that is not answered times out after 30 seconds: those are counted, and left out of lines and means. The lines are the last seven days, all on one logarithmic scale from ${compact(from)} to ${quantity(to, 'milliseconds')}, so that twice as slow is the same step up everywhere.</p>
<table class="response"><thead><tr><th scope="col">Asset</th><th scope="col">Last seven days</th><th scope="col">Mean</th><th scope="col">Slowest</th><th scope="col">Timed out</th></tr></thead><tbody>${rows.map(
    ({ name, kind, response, polled }) =>
      html`<tr class="${kind}"><th scope="row">${name}</th><td>${line(lastWeek(response.means, picture), response.scale, metricClass(response.metricName, 0))}</td><td class="num">${quantity(response.mean, 'milliseconds')}</td><td class="num">${quantity(response.max, 'milliseconds')}</td><td class="num">${timeouts(response, polled)}</td></tr>`,
  )}</tbody></table></section>`;
}

function timeouts({ timedOut }: ResponsePicture, polled: number): string {
  return timedOut === 0 || polled === 0 ? '0 %' : quantity((100 * timedOut) / polled, '%', 2);
}
