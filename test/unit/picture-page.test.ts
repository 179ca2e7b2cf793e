/**
 * The page: nothing in it comes from elsewhere, nothing in the data is more than text, and it stays
 * small.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_FLEET } from '../../src/fleet/default.js';
import type { Fleet } from '../../src/fleet/types.js';
import { drawPicture } from '../../src/picture/draw.js';
import { readModel } from '../../src/picture/from-model.js';
import { renderPage } from '../../src/picture/page/html.js';
import { embeddedJson, html, trusted } from '../../src/picture/page/words.js';
import { pictureOf } from '../support/pictures.js';

const DAY = 1440;
const END = 20_128 * DAY;
const MEGABYTE = 1_000_000;
const EVIL = '</script><script>alert(1)</script><img src=x onerror="alert(2)">\'&\u2028';

const weekOf = (fleet: Fleet, days = 7) =>
  drawPicture(readModel(fleet, 7, { start: END - days * DAY, end: END }));

/** Parts of a page that a browser would run or fetch. */
function elementsOf(page: string, name: string): string[] {
  return [...page.matchAll(new RegExp(`<${name}[\\s>][^>]*>?`, 'gi'))].map(([element]) => element);
}

test('one page, complete: nothing is fetched, and only its own scripts may run', () => {
  const page = renderPage(weekOf(DEFAULT_FLEET));
  const markup = page.replace(/<(script|style)[^>]*>.*?<\/\1>/gs, '');
  assert.doesNotMatch(markup, /(?:src|href)="(?!#|data:,")/);
  assert.doesNotMatch(markup, /\son\w+=/i);
  assert.deepEqual(elementsOf(page, 'script').length, 3);
  const [, policy] = /Content-Security-Policy" content="([^"]+)"/.exec(page) ?? [];
  assert.match(
    policy.replaceAll('&#39;', "'"),
    /^default-src 'none'; .*script-src 'sha256-\S+ 'sha256-\S+'$/,
  );
  assert.match(page, /^<!doctype html>\n<html lang="en">/);
  assert.match(page, /<a class="skip" href="#overview">/);
  assert.ok(page.length < MEGABYTE, `${page.length} bytes`);
});

test('names from a fleet or a database are text, wherever they stand', () => {
  const spoilt: Fleet = {
    ...DEFAULT_FLEET,
    machines: DEFAULT_FLEET.machines.map((machine) => ({
      ...machine,
      hostname: `${EVIL}${machine.hostname}`,
    })),
    services: DEFAULT_FLEET.services.map((service) => ({ ...service, serviceName: EVIL })),
  };
  const picture = weekOf(spoilt);
  const evil = {
    ...picture,
    source: { kind: 'database', database: EVIL, layout: EVIL, server: EVIL, seed: null },
    machines: picture.machines.map((machine) => ({
      ...machine,
      assetType: EVIL,
      assetId: EVIL,
      pattern: EVIL,
      metrics: machine.metrics.map((metric) => ({ ...metric, metricName: EVIL, unit: EVIL })),
    })),
  } as const;
  const page = renderPage(evil);
  const good = renderPage(picture);
  assert.ok(!page.includes('<script>alert') && !page.includes('<img') && !page.includes('onerror="'));
  assert.equal(elementsOf(page, 'script').length, elementsOf(good, 'script').length);
  assert.deepEqual(pictureOf(page), evil);
  assert.ok(page.includes('&#60;img src=x onerror=&#34;'), 'the names are shown');
});

test('templates escape everything that is not markup', () => {
  assert.equal(
    html`<p title="${EVIL}">${['<b>', html`<i>${'<'}</i>`, null, false, 0]}</p>`.text,
    `<p title="${[...EVIL].map((c) => ('&<>"\''.includes(c) ? `&#${c.charCodeAt(0)};` : c)).join('')}">&#60;b&#62;<i>&#60;</i>0</p>`,
  );
  assert.equal(html`${trusted('<b>')}`.text, '<b>');
  const json = embeddedJson({ text: EVIL }).text;
  assert.ok(!json.includes('<'));
  assert.deepEqual(JSON.parse(json), { text: EVIL });
});

test('a large fleet and a long window: the first machines, the newest incidents, under 3 MB', () => {
  const machines = Array.from({ length: 12 }, (_, site) =>
    DEFAULT_FLEET.machines.map((one) => ({ ...one, assetId: `${one.assetId}-${site}` })),
  ).flat();
  const services = Array.from({ length: 12 }, (_, site) =>
    DEFAULT_FLEET.services.map((one) => ({
      ...one,
      assetId: `${one.assetId}-${site}`,
      hostId: `${one.hostId}-${site}`,
    })),
  ).flat();
  const picture = weekOf({ ...DEFAULT_FLEET, machines, services, jobs: [] }, 20);
  assert.deepEqual(picture.omitted.machines, 80);
  assert.equal(picture.machines.length, 40);
  assert.equal(picture.services.length, 88);
  const page = renderPage(picture);
  assert.ok(page.length < 3 * MEGABYTE, `${page.length} bytes`);
  assert.match(
    page,
    /The first 40 machines are shown, with their services; 80 machines and 176 services are not/,
  );
});
