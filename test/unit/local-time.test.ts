/** Local time against the platform's own, in zones of every kind. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { LocalTime, MINUTES_PER_DAY } from '../../src/model/local-time.js';

const ZONES = [
  'UTC',
  'Europe/Rome',
  'America/New_York',
  'America/St_Johns',
  'Australia/Lord_Howe',
  'Asia/Kathmandu',
  'Pacific/Apia',
];
/** From 2010 to 2037. */
const anyDay = fc.integer({ min: 14_610, max: 24_800 });
const minuteOfDay = fc.nat(MINUTES_PER_DAY - 1);

/** What the clocks of a zone show, as minutes since 1970-01-01 00:00 of their own. */
function shown(zone: string, utcMinute: number): number {
  const text = new Date(utcMinute * 60_000).toLocaleString('sv-SE', { timeZone: zone });
  return Date.parse(`${text.replace(' ', 'T')}Z`) / 60_000;
}

for (const zone of ZONES) {
  test(`${zone}: the stretches of a day cover it, and show what the clocks do`, () => {
    const local = new LocalTime(zone);
    fc.assert(
      fc.property(anyDay, minuteOfDay, (day, minute) => {
        const stretches = local.stretches(day);
        assert.equal(stretches[0].from, 0);
        assert.equal(stretches.at(-1)?.to, MINUTES_PER_DAY);
        for (let i = 1; i < stretches.length; i++) assert.equal(stretches[i].from, stretches[i - 1].to);
        const stretch = stretches.find(({ from, to }) => minute >= from && minute < to);
        assert.ok(stretch);
        const clock = stretch.day * MINUTES_PER_DAY + stretch.minute + (minute - stretch.from);
        assert.equal(clock, shown(zone, day * MINUTES_PER_DAY + minute));
        assert.ok(stretch.minute + (stretch.to - stretch.from) <= MINUTES_PER_DAY);
      }),
      { numRuns: 300 },
    );
  });

  test(`${zone}: a local minute is found in UTC again`, () => {
    const local = new LocalTime(zone);
    fc.assert(
      fc.property(anyDay, minuteOfDay, (day, minute) => {
        const utc = local.toUtc(day, minute);
        const clock = day * MINUTES_PER_DAY + minute;
        // Minutes that clocks skip come later by as much; the jump over the date line is a whole
        // day.
        const late = shown(zone, utc) - clock;
        assert.ok(late === 0 || (late > 0 && late <= MINUTES_PER_DAY), `${late} minutes late`);
      }),
      { numRuns: 300 },
    );
  });
}

test('Rome goes forward on 2025-03-30 and back on 2025-10-26', () => {
  const rome = new LocalTime('Europe/Rome');
  const day = (text: string) => Date.parse(`${text}T00:00Z`) / 86_400_000;
  const spring = day('2025-03-30');
  assert.deepEqual(
    rome.stretches(spring).map(({ from, to, minute }) => [from, to, minute]),
    [
      [0, 60, 60],
      [60, 1320, 180],
      [1320, 1440, 0],
    ],
  );
  const autumn = day('2025-10-26');
  assert.deepEqual(
    rome.stretches(autumn).map(({ from, to, minute }) => [from, to, minute]),
    [
      [0, 60, 120],
      [60, 1380, 120],
      [1380, 1440, 0],
    ],
  );
  // 02:30 is there twice: the first of the two.
  assert.equal(rome.toUtc(autumn, 150), autumn * MINUTES_PER_DAY + 30);
  // 02:30 is skipped: an hour later the clocks show 03:30.
  assert.equal(shown('Europe/Rome', rome.toUtc(spring, 150)), spring * MINUTES_PER_DAY + 210);
});
