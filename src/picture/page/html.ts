/** A picture as one page that needs nothing else: style, charting library, script and data stand in it. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { VERSION } from '../../version.js';
import type { DatasetPicture } from '../picture.js';
import { backups } from './backups.js';
import { Clock } from './clock.js';
import { incidents } from './incidents.js';
import { machines } from './machines.js';
import { embeddedJson, html, trusted } from './markup.js';
import { keyFigures, overview, pageHeader, titleOf } from './overview.js';
import { responseTimes } from './response.js';
import { STYLE } from './style.js';

const resolve = createRequire(import.meta.url).resolve;

/** The whole page, as HTML. Whatever the picture holds is shown as text. */
export function renderPage(picture: DatasetPicture): string {
  const clock = new Clock(picture.zone);
  const scripts = [
    scriptText(readFileSync(resolve('uplot/dist/uPlot.iife.min.js'), 'utf8')),
    // By the package's own name: this module may be in a bundle, and the browser's script is not.
    scriptText(readFileSync(resolve('seed-database/page-script'), 'utf8')),
  ];
  const [library, script] = scripts.map(trusted);
  const style = trusted(readFileSync(resolve('uplot/dist/uPlot.min.css'), 'utf8') + STYLE);
  // Nothing is fetched, and no script runs but these two, whatever the data might hold.
  const policy = `default-src 'none'; style-src 'unsafe-inline'; img-src data:; script-src ${scripts.map(hashSource).join(' ')}`;
  return html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="generator" content="seed-database ${VERSION}">
<title>${titleOf(picture)}</title><link rel="icon" href="data:,"><style>${style}</style></head>
<body><a class="skip" href="#overview">Skip to the content</a><div class="page">
${pageHeader(picture, clock)}
<nav aria-label="Sections"><a href="#overview">At a glance</a><a href="#incidents">Incidents</a><a href="#response">Response times</a><a href="#backups">Backups</a><a href="#machines">Machines</a></nav>
<main>${keyFigures(picture)}${overview(picture)}${incidents(picture, clock)}${responseTimes(picture)}${backups(picture, clock)}${machines(picture, clock)}</main>
<footer class="muted">Made by seed-database ${VERSION}. The page holds its data as JSON, in the element “picture”.</footer></div>
<script type="application/json" id="picture">${embeddedJson(picture)}</script>
<script>${library}</script><script type="module">${script}</script></body></html>
`.text;
}

/** Nothing in a script may end its element. */
function scriptText(source: string): string {
  return source.replace(/<\/(script)/gi, '<\\/$1').replaceAll('<!--', '<\\!--');
}

function hashSource(script: string): string {
  return `'sha256-${createHash('sha256').update(script).digest('base64')}'`;
}
