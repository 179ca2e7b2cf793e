/** Fleet files: the examples are what they say, and what is wrong is one line that says where. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { ExitStatus, SeedError } from '../../src/errors.js';
import { buildFleet } from '../../src/fleet/build.js';
import { DEFAULT_FILE, DEFAULT_FLEET } from '../../src/fleet/default.js';
import { fleetFingerprint } from '../../src/fleet/fingerprint.js';
import { checkFleet, parseFleet, readFleetFile } from '../../src/fleet/read.js';
import { fleetJsonSchema, OWN_METRICS } from '../../src/fleet/schema.js';
import { BACKUP_SERIES, sampledSeries } from '../../src/model/telemetry-model.js';

const EXAMPLES = fileURLToPath(new URL('../../../examples/fleets', import.meta.url));

test('the example of the default fleet is the default fleet', () => {
  const file = readFleetFile(join(EXAMPLES, 'default.yaml'));
  assert.deepEqual(file, DEFAULT_FILE);
  const fleet = buildFleet({ file, scale: 1, timezone: 'UTC' });
  assert.equal(fleetFingerprint(fleet), fleetFingerprint(DEFAULT_FLEET));
});

test('every example names the schema beside it and is right', () => {
  const examples = readdirSync(EXAMPLES).filter((name) => name.endsWith('.yaml'));
  assert.ok(examples.length >= 2);
  for (const name of examples) {
    assert.match(
      readFileSync(join(EXAMPLES, name), 'utf8'),
      /^# yaml-language-server: \$schema=fleet\.schema\.json\n/,
    );
    readFleetFile(join(EXAMPLES, name));
  }
});

test('the published schema is the one that files are checked against', () => {
  const published = JSON.parse(readFileSync(join(EXAMPLES, 'fleet.schema.json'), 'utf8'));
  assert.deepEqual(published, JSON.parse(JSON.stringify(fleetJsonSchema())));
});

test('the names that a metric of a file may not have are those of the model', () => {
  const series = [...sampledSeries(DEFAULT_FLEET.machines[0]), BACKUP_SERIES];
  assert.deepEqual(
    OWN_METRICS,
    series.map(({ metricName }) => metricName),
  );
});

test('JSON is read as YAML is', () => {
  assert.deepEqual(parseFleet(JSON.stringify(DEFAULT_FILE, null, 2), 'fleet.json'), DEFAULT_FILE);
});

const GOOD = readFileSync(join(EXAMPLES, 'small-office.yaml'), 'utf8');

/**
 * Each spoils the good file in one place: what is replaced, by what, and the complaint about it.
 */
const BROKEN: readonly (readonly [name: string, from: string, to: string, complaint: RegExp])[] = [
  ['no YAML', 'range: [0.5, 940]', 'range: [0.5, 940', /^fleet office\.yaml, line \d+: .+/],
  [
    'an unknown field',
    'hostname: MAIL',
    'hostnam: MAIL',
    /, line 45: machines\[2\]\.hostnam is no field that there is; did you mean hostname\?/,
  ],
  [
    'a field at a place of its own',
    'backup_success: 99',
    'backup_succes: 99',
    /machines\[0\]\.parameters\.backup_succes is no field that there is; did you mean backup_success\?/,
  ],
  [
    'an unknown pattern',
    'pattern: email_server_pattern',
    'pattern: email_pattern',
    /, line 46: machines\[2\]\.pattern "email_pattern" must be one of stable_with_io_spikes, .+; did you mean email_server_pattern\?/,
  ],
  [
    'an unknown type',
    'type: vm',
    'type: virtual machine',
    /machines\[2\]\.type "virtual machine" must be one of proxmox_node, vm, container, physical_host$/,
  ],
  [
    'a number out of range',
    'uptime: 99.5',
    'uptime: 42',
    /, line 16: machines\[0\]\.parameters\.uptime 42 must be a number from 90 to 100$/,
  ],
  [
    'a text for a number',
    'port: 445',
    'port: smb',
    /machines\[1\]\.services\[0\]\.port "smb" must be a whole number from 1 to 65535$/,
  ],
  [
    'a range the wrong way round',
    'range: [0.5, 940]',
    'range: [940, 0.5]',
    /metrics\[0\]\.range \[940, 0\.5\] must go from less to more$/,
  ],
  [
    'a metric that there is already',
    'name: temperature',
    'name: io_wait',
    /machines\[0\]\.metrics\[1\]\.name "io_wait" is there already$/,
  ],
  [
    'an id twice',
    'id: file-store',
    'id: office-server',
    /machines\[1\]\.id "office-server" is the id of another machine already/,
  ],
  [
    'a target that is not there',
    'targets: [file-store]',
    'targets: [file-stor]',
    /, line 78: jobs\[1\]\.targets\[0\] "file-stor" is no machine of the fleet; did you mean file-store\?$/,
  ],
  [
    'a time that is none',
    'planned_downtime: 22:30-05:00',
    'planned_downtime: 22:30-25:00',
    /planned_downtime "22:30-25:00" must be a time of day such as 23:00-01:00$/,
  ],
  [
    'a time zone that is none',
    'timezone: Europe/Rome',
    'timezone: Europe/Roma',
    /, line 6: timezone "Europe\/Roma" must be an IANA time zone such as Europe\/Rome$/,
  ],
];

for (const [name, from, to, complaint] of BROKEN) {
  test(`a broken fleet: ${name}`, (t) => {
    assert.ok(GOOD.includes(from));
    const text = GOOD.replace(from, to);
    assert.throws(
      () => parseFleet(text, 'office.yaml'),
      (error) => {
        assert.ok(error instanceof SeedError, String(error));
        t.diagnostic(error.message);
        assert.equal(error.exitStatus, ExitStatus.usage);
        assert.match(error.message, complaint);
        assert.match(error.remedy, /docs\/fleets\.md/);
        return true;
      },
    );
  });
}

test('whatever a file holds, it is read or refused in one line', () => {
  const scrap = fc.oneof(
    fc.string(),
    fc.json(),
    fc
      .tuple(fc.nat(GOOD.length), fc.nat(40), fc.string({ maxLength: 6 }))
      .map(([at, length, put]) => GOOD.slice(0, at) + put + GOOD.slice(at + length)),
  );
  fc.assert(
    fc.property(scrap, (text) => {
      try {
        parseFleet(text, 'office.yaml');
      } catch (error) {
        assert.ok(error instanceof SeedError, String(error));
        assert.doesNotMatch(error.message, /[\r\n]/);
      }
    }),
    { numRuns: 300 },
  );
});

test('an object is checked like a file', () => {
  assert.deepEqual(checkFleet(DEFAULT_FILE, 'as given'), DEFAULT_FILE);
  assert.throws(
    () => checkFleet({ machines: [] }, 'as given'),
    /^SeedError: fleet as given: machines \[\] must be a list of at least one machine$|a list of at least one machine/,
  );
});

test('a file that is not there, and one that is too large', () => {
  assert.throws(
    () => readFleetFile(join(EXAMPLES, 'nowhere.yaml')),
    /--fleet .+nowhere\.yaml cannot be read/,
  );
  assert.throws(() => readFleetFile(process.execPath), /has more than 4 MB/);
});
