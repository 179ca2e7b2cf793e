/**
 * Pages in headless Chromium, which has to be installed: nothing overflows, and what is pointed at
 * is told.
 */
import assert from 'node:assert/strict';
import { accessSync, constants, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { after, before, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { buildFleet } from '../../src/fleet/build.js';
import { DEFAULT_FILE, DEFAULT_FLEET } from '../../src/fleet/default.js';
import type { Fleet } from '../../src/fleet/types.js';
import { drawPicture } from '../../src/picture/draw.js';
import { readModel } from '../../src/picture/from-model.js';
import { renderPage } from '../../src/picture/page/html.js';

const DAY = 1440;
/** Wednesday, 12 February 2025. */
const END = 20_131 * DAY;
const WIDTHS = [390, 768, 1280];
/** A4, less margins of 12 mm. */
const PAPER = 703;
const SCRATCH = mkdtempSync(join(tmpdir(), 'seed-database-pages-'));
let browser: Browser;

before(async () => {
  browser = await chromium.launch({
    executablePath: chromiumPath(),
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update'],
  });
});
after(async () => {
  await browser?.close();
  rmSync(SCRATCH, { recursive: true, force: true });
});

function chromiumPath(): string {
  const names = ['chromium', 'chromium-browser', 'google-chrome'];
  const paths = (process.env.PATH ?? '').split(delimiter).flatMap((path) => names.map((n) => join(path, n)));
  const found = paths.find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
  assert.ok(found, 'these tests need Chromium: apt-get install chromium');
  return found;
}

/**
 * A fleet of somebody's own: long names, many digits, values below 0, a time zone with half an
 * hour.
 */
function ownFleet(): Fleet {
  const [first, second] = DEFAULT_FILE.machines;
  const metrics = [
    {
      name: 'network_in_of_the_second_interface',
      unit: 'packets per second',
      range: [0, 12_345_678],
      pattern: 'follows_cpu',
    },
    { name: 'temperature', unit: 'celsius', range: [-30, 20], pattern: 'nights' },
  ] as const;
  const hostname = 'a-host-name-of-some-length.of-a-department.of-an-organisation.example.org';
  const machines = [{ ...first, hostname, metrics }, second];
  return buildFleet({ file: { machines }, scale: 1, timezone: 'Asia/Kolkata' });
}

const PAGES: Readonly<Record<string, { readonly fleet: Fleet; readonly days: number }>> = {
  'one day': { fleet: DEFAULT_FLEET, days: 1 },
  'two weeks': { fleet: DEFAULT_FLEET, days: 14 },
  '400 days': { fleet: DEFAULT_FLEET, days: 400 },
  'a fleet of one’s own': { fleet: ownFleet(), days: 20 },
};
const urls = new Map<string, string>();

function urlOf(name: string): string {
  let url = urls.get(name);
  if (!url) {
    const { fleet, days } = PAGES[name];
    const path = join(SCRATCH, `${urls.size}.html`);
    writeFileSync(path, renderPage(drawPicture(readModel(fleet, 42, { start: END - days * DAY, end: END }))));
    url = pathToFileURL(path).href;
    urls.set(name, url);
  }
  return url;
}

/** Shows a page; fails if it reports an error, or asks for anything else than itself. */
async function withPage(
  name: string,
  options: BrowserContextOptions,
  use: (page: Page) => Promise<void>,
): Promise<void> {
  const context = await browser.newContext({ reducedMotion: 'reduce', ...options });
  try {
    const page = await context.newPage();
    const wrong: string[] = [];
    page.on('pageerror', ({ message }) => wrong.push(message));
    page.on('console', (message) => message.type() === 'error' && wrong.push(message.text()));
    page.on('request', (request) => {
      if (!request.url().startsWith(urlOf(name)) && !request.url().startsWith('data:'))
        wrong.push(request.url());
    });
    await page.goto(urlOf(name));
    await use(page);
    assert.deepEqual(wrong, []);
  } finally {
    await context.close();
  }
}

const viewport = (width: number) => ({ viewport: { width, height: 900 } });

/** Opens all details, and scrolls through the page, so that every chart is drawn. */
async function openAll(page: Page): Promise<void> {
  for (const chart of await page.locator('.chart').all()) {
    await chart.scrollIntoViewIfNeeded();
    await chart.locator('canvas').waitFor();
  }
  await page.evaluate(`for (const details of document.querySelectorAll('details')) details.open = true`);
}

/** What is wider than the screen, is cut, or stands on its neighbour. Runs in the page. */
const FAULTS = `(() => {
  const faults = [];
  const told = (element) => element.tagName + '.' + element.className + ' "' + element.textContent.trim().slice(0, 40) + '"';
  const width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth > innerWidth) faults.push('the page is ' + document.documentElement.scrollWidth + ' wide');
  const hasText = (element) => [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim() !== '');
  for (const element of document.body.querySelectorAll('*')) {
    if (!hasText(element) || !element.checkVisibility({ visibilityProperty: true }) || element.closest('svg, select, script, .u-wrap')) continue;
    const { left, right, height } = element.getBoundingClientRect();
    // Put aside for screen readers.
    if (height === 0 || right < 0) continue;
    const style = getComputedStyle(element);
    if (style.overflowX !== 'visible' && element.scrollWidth > element.clientWidth + 1) faults.push('cut: ' + told(element));
    // What can be scrolled to is not cut.
    const box = element.closest('.scroll, nav')?.getBoundingClientRect();
    if (!box && (left < -1 || right > width + 1)) faults.push('outside: ' + told(element));
    const range = document.createRange();
    range.selectNodeContents(element);
    const text = range.getBoundingClientRect();
    if (style.display !== 'inline' && text.width > element.getBoundingClientRect().width + 1.5 && !element.closest('.ticks, .calendar thead')) faults.push('too wide: ' + told(element));
  }
  for (const ticks of document.querySelectorAll('.ticks, .hours')) {
    const shown = [...ticks.children].map((one) => one.getBoundingClientRect()).filter((one) => one.width > 0);
    shown.forEach((one, i) => i > 0 && one.left < shown[i - 1].right + 3 && faults.push('dates collide: ' + told(ticks)));
  }
  return faults;
})()`;

for (const name of Object.keys(PAGES)) {
  for (const width of WIDTHS) {
    test(`${name}: nothing overflows, is cut or collides at ${width} px`, async () => {
      await withPage(
        name,
        { ...viewport(width), colorScheme: width === 768 ? 'dark' : 'light' },
        async (page) => {
          await openAll(page);
          assert.deepEqual(await page.evaluate(FAULTS), []);
        },
      );
    });
  }

  test(`${name}: nothing is cut on paper, every chart is drawn in light colours, and legends stay`, async () => {
    await withPage(name, { ...viewport(PAPER), colorScheme: 'dark' }, async (page) => {
      await page.emulateMedia({ media: 'print' });
      await page.evaluate(`dispatchEvent(new Event('beforeprint'))`);
      const charts = await page.locator('.chart').count();
      assert.equal(await page.locator('.chart canvas').count(), charts);
      assert.equal(await page.locator('.lines:visible').count(), charts);
      assert.ok((await page.locator('.ramp:visible').count()) >= 4);
      assert.equal(await page.evaluate(`getComputedStyle(document.body).color`), 'rgb(28, 33, 39)');
      // Nothing scrolls on paper.
      await page.evaluate(
        `for (const one of document.querySelectorAll('.scroll')) one.classList.remove('scroll')`,
      );
      assert.deepEqual(await page.evaluate(FAULTS), []);
    });
  });
}

test('without scripts the essential is there, and nothing overflows', async () => {
  await withPage('two weeks', { ...viewport(390), javaScriptEnabled: false }, async (page) => {
    assert.equal(await page.locator('.chart .spark:visible').count(), 30 + 32);
    assert.equal(await page.locator('.track:visible').count(), 32);
    assert.equal(await page.locator('.chooser:visible').count(), 0);
    const box = await page.locator('.newest').boundingBox();
    const last = await page.locator('.calendar thead th').last().boundingBox();
    assert.ok(box && last && last.x + last.width <= box.x + box.width + 1);
  });
});

test('the calendar opens on the newest days', async () => {
  await withPage('400 days', viewport(390), async (page) => {
    const last = page.locator('.calendar thead th').last();
    assert.match((await last.locator('abbr').getAttribute('title')) ?? '', /^Tue 11 Feb 2025$/);
    const box = await last.boundingBox();
    assert.ok(box && box.x > 0 && box.x + box.width <= 391, JSON.stringify(box));
  });
});

test('links land below the bar that stays', async () => {
  for (const width of [390, 1280]) {
    await withPage('two weeks', viewport(width), async (page) => {
      for (const link of await page.locator('nav a, .glance a').all()) {
        const target = page.locator((await link.getAttribute('href')) ?? '');
        await link.click();
        // Charts are drawn meanwhile: they take the room that was kept for them.
        await page.waitForTimeout(100);
        const bars = await Promise.all(['nav', '.chooser'].map((bar) => page.locator(bar).boundingBox()));
        const ends = bars.flatMap((box) => (box && box.y >= 0 && box.y < 100 ? [box.y + box.height] : []));
        const top = (await target.boundingBox())?.y ?? -1;
        const bar = Math.max(...ends);
        assert.ok(top >= bar - 1 && top < bar + 90, `${await link.textContent()}: at ${top}, below ${bar}`);
      }
    });
  }
});

test('incidents tell their start and length to the pointer and to the keyboard', async () => {
  await withPage('two weeks', viewport(1280), async (page) => {
    const track = page.locator('.track[tabindex]').nth(2);
    const tip = page.locator('.tip');
    const incident = /\n\d{4}-\d\d-\d\d \d\d:\d\d – .*\d\d:\d\d, (\d+h )?\d+m: (down|degraded) /;
    await track.focus();
    await page.keyboard.press('Home');
    const first = await tip.textContent();
    assert.match(first ?? '', incident);
    assert.match(first ?? '', /, 1 of \d+\n/);
    await page.keyboard.press('ArrowRight');
    assert.match((await tip.textContent()) ?? '', /, 2 of \d+\n/);
    await page.keyboard.press('Escape');
    assert.equal(await tip.isVisible(), false);
    const box = await track.boundingBox();
    assert.ok(box);
    await page.mouse.move(box.x + 2, box.y + 5);
    assert.match((await tip.textContent()) ?? '', incident);
    assert.equal(await tip.isVisible(), true);
  });
});

test('charts show the week that is chosen, and the whole period', async () => {
  await withPage('400 days', viewport(1280), async (page) => {
    const chart = page.locator('.chart').first();
    const [from, to] = await timesShown(page);
    assert.ok(from.startsWith('2025-02-05') && to.startsWith('2025-02-11'), `${from} to ${to}`);
    await page.locator('.chooser [data-step="1"]').click();
    assert.ok((await timesShown(page))[0].startsWith('2025-01-29'));
    await page.locator('#weeks').selectOption({ label: 'the whole period' });
    const [first, last] = await timesShown(page);
    assert.ok(first.startsWith('2024-01') && last.startsWith('2025-02'), `${first} to ${last}`);
    assert.equal(await chart.locator('canvas').count(), 1);
  });
});

/** The times that a chart's cursor tells at both of its ends. */
async function timesShown(page: Page): Promise<string[]> {
  await page.locator('.chart').first().scrollIntoViewIfNeeded();
  const over = page.locator('.chart .u-over').first();
  const box = await over.boundingBox();
  assert.ok(box);
  const at = page.locator('.lines .at').first();
  const times: string[] = [];
  for (const x of [box.x + 1, box.x + box.width - 2]) {
    await page.mouse.move(x, box.y + box.height / 2);
    await at.filter({ hasText: /\d/ }).waitFor();
    times.push((await at.textContent()) ?? '');
  }
  return times;
}
