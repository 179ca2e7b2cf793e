/**
 * The first contact: whatever an address, its options and the environment are, it works, or one
 * line says why not.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import { readConfiguration } from '../../src/config/configuration.js';
import { maskSecrets } from '../../src/config/uri.js';
import { openConnection } from '../../src/connect/connect.js';
import { SeedError } from '../../src/errors.js';
import { runCli, startCli } from '../support/cli.js';
import { freePort, startTestServer, type TestServer } from '../support/server.js';

let server: TestServer;
let closed: number;
const listeners: Server[] = [];

before(async () => {
  server = await startTestServer({ auth: true });
  closed = await freePort();
});
after(async () => {
  for (const listener of listeners) listener.close();
  await server?.stop();
});

/** A port on which something that is no MongoDB server listens. */
async function listening(greet: (socket: Socket) => void): Promise<number> {
  const listener = createServer((socket) => {
    socket.on('error', () => undefined);
    greet(socket);
    socket.unref();
  }).listen(0, '127.0.0.1');
  listener.unref();
  listeners.push(listener);
  await once(listener, 'listening');
  const address = listener.address();
  assert.ok(address !== null && typeof address === 'object');
  return address.port;
}

const OTHERS: readonly [string, (socket: Socket) => void, RegExp][] = [
  [
    'an HTTP server that waits for a line',
    (socket) =>
      socket.on('data', (chunk) => /\n/.test(String(chunk)) && socket.end('HTTP/1.1 400 Bad\r\n\r\n')),
    /answers like an HTTP server/,
  ],
  ['an SSH server', (socket) => socket.write('SSH-2.0-OpenSSH_9.6\r\n'), /answers like an SSH server/],
  ['a mute listener', () => undefined, /accepts connections and says nothing/],
];
for (const [what, greet, cause] of OTHERS) {
  test(`${what} on the port is named, in far less than the driver's ten seconds`, async () => {
    const port = await listening(greet);
    const began = performance.now();
    const { status, stderr } = await runCli(['status', '--uri', `mongodb://127.0.0.1:${port}`]);
    assert.equal(status, 3, stderr);
    assert.match(stderr, cause);
    assert.equal(stderr.trimEnd().split('\n').length, 2, stderr);
    assert.ok(performance.now() - began < 8_000, `${performance.now() - began} ms`);
  });
}

test('a server that requires a user says so before anything else, and shows no "Connected"', async () => {
  const { status, stdout, stderr } = await runCli(['status', '--uri', server.plainUri]);
  assert.deepEqual([status, stdout], [4, '']);
  assert.match(stderr, /requires a user, and none was given\n.*--username .*MONGODB_PASSWORD_FILE/);
});

test('--wait waits for a server that starts later, and says so once; for a wrong password it does not', async () => {
  const late = await startTestServer();
  try {
    await late.kill('SIGTERM');
    const { child, result } = startCli(['status', '--uri', late.plainUri, '--wait', '60']);
    let said = '';
    child.stderr?.on('data', (text: string) => {
      said += text;
    });
    while (!said.includes('waiting for the server')) await once(child.stderr ?? child, 'data');
    await late.restart();
    const { status, stdout, stderr } = await result;
    assert.equal(status, 0, stderr);
    assert.match(stdout, /Connected to MongoDB/);
    assert.equal(stderr.match(/waiting for the server, up to 60 s/g)?.length, 1, stderr);
  } finally {
    await late.stop();
  }
  const uri = server.plainUri.replace('//', '//admin:wrong-one@');
  const { status } = await runCli(['status', '--uri', `${uri}?authSource=admin`, '--wait', '60']);
  assert.equal(status, 4);
});

const SECRET = 'hunter2hunter2';

test('200 random connection strings and environments: connected, or 2, 3 or 4 in one line without a secret', async () => {
  const option = fc.constantFrom(
    ...['w=0', 'w=1', 'w=majority', 'w=x', 'j=false', 'wtimeoutMS=1', 'readPreference=foo', 'tls=false'],
    ...['readPreference=nearest', 'compressors=lz4', 'compressors=snappy', 'compressors=zlib', 'tls=true'],
    ...['replicaSet=other', 'directConnection=true', 'loadBalanced=true', 'maxPoolSize=1', 'minPoolSize=999'],
    ...[
      'readConcernLevel=snapshot',
      'authMechanism=PLAIN',
      'authMechanism=GSSAPI',
      'authMechanism=MONGODB-X509',
    ],
    ...[
      'authSource=admin',
      'authSource=nowhere',
      'ssl=true',
      'foo=bar',
      'foo',
      '=',
      '%',
      'retryWrites=maybe',
    ],
    ...[
      'waitQueueTimeoutMS=1',
      'maxConnecting=0',
      'heartbeatFrequencyMS=0',
      'srvMaxHosts=1',
      'proxyHost=127.0.0.1',
    ],
    ...[
      'tlsCAFile=/nowhere',
      'tlsCertificateKeyFile=/dev/null',
      'maxStalenessSeconds=1',
      'zlibCompressionLevel=99',
    ],
    ...[
      'serverSelectionTimeoutMS=1',
      'serverSelectionTimeoutMS=0',
      'timeoutMS=1',
      'appName=x',
      'localThresholdMS=-1',
    ],
  );
  const host = fc.constantFrom(
    ...[
      '127.0.0.1:OPEN',
      '127.0.0.1:OPEN',
      '127.0.0.1:OPEN',
      '127.0.0.1:CLOSED',
      '127.0.0.1:OPEN,127.0.0.1:CLOSED',
    ],
    ...[
      '127.0.0.1:99999',
      '127.0.0.1:0',
      '[::1]:CLOSED',
      'no-such.invalid:1',
      '%2Fno%2Fsocket.sock',
      'a b',
      '',
    ],
  );
  const good = 'admin:secret@';
  const user = fc.constantFrom(
    good,
    good,
    good,
    '',
    'admin:secret@',
    `admin:${SECRET}@`,
    `admin:${SECRET}/x@`,
    `${SECRET}@`,
    `a:${SECRET}%@`,
    ':@',
  );
  const uri = fc.record({
    scheme: fc.constantFrom(...Array<string>(8).fill('mongodb'), 'mongodb+srv', 'http'),
    user,
    host,
    database: fc.constantFrom('', '', '/', '/', '/admin', '/a.b', '/é', `/${'x'.repeat(64)}`),
    options: fc.array(option, { maxLength: 2 }),
  });
  const environment = fc.dictionary(
    fc.constantFrom(
      'MONGODB_PORT',
      'MONGODB_HOST',
      'MONGODB_USERNAME',
      'MONGODB_REPLICA_SET',
      'MONGODB_SSL_ENABLED',
    ),
    fc.constantFrom('tcp://10.0.0.1:1', 'x y', '1', 'true'),
    { maxKeys: 1 },
  );
  const outcomes = { connected: 0, refused: 0 };
  const property = fc.asyncProperty(
    uri,
    environment,
    fc.boolean(),
    async (parts, variables, withPassword) => {
      const { scheme, database, options } = parts;
      const hosts = parts.host.replaceAll('OPEN', String(server.port)).replaceAll('CLOSED', String(closed));
      const text = `${scheme}://${parts.user}${hosts}${database}${options.length > 0 ? `${database ? '' : '/'}?${options.join('&')}` : ''}`;
      const sources = {
        flags: { uri: text },
        // Soon over where the driver has to wait.
        environment: {
          ...variables,
          ...(withPassword ? { MONGODB_PASSWORD: SECRET } : {}),
          MONGODB_SERVER_SELECTION_TIMEOUT_MS: '300',
          MONGODB_CONNECT_TIMEOUT_MS: '300',
        },
      };
      try {
        const { settings } = readConfiguration(sources);
        const connection = await openConnection(settings.connection).catch((error) => {
          const masked = error instanceof Error ? maskSecrets(error.message, settings) : '';
          assert.ok(error instanceof SeedError, `${text}: ${error}`);
          throw new SeedError(error.exitStatus, masked, error.remedy);
        });
        outcomes.connected++;
        await connection.close();
      } catch (error) {
        assert.ok(error instanceof SeedError, `${text}: ${error}`);
        assert.ok([2, 3, 4].includes(error.exitStatus), `${text}: ${error.exitStatus} ${error.message}`);
        for (const line of [error.message, error.remedy]) {
          assert.doesNotMatch(line, /[\r\n]/, text);
          assert.ok(!line.includes(SECRET) || parts.user === `${SECRET}@`, `${text}: ${line}`);
        }
        outcomes.refused++;
      }
    },
  );
  await fc.assert(property, { numRuns: 200, seed: 16, endOnFailure: true });
  assert.ok(outcomes.connected > 3 && outcomes.refused > 50, JSON.stringify(outcomes));
});

test('a replica set that is not initiated is given a moment, and then named', async () => {
  const set = await startTestServer({ args: ['--replSet', 'fresh'], unready: true });
  try {
    const began = performance.now();
    const { status, stderr } = await runCli(['status', '--uri', `mongodb://127.0.0.1:${set.port}`]);
    assert.equal(status, 3, stderr);
    assert.match(stderr, /the replica set of \S+ is not initiated\n.*rs\.initiate\(\)/);
    const ms = performance.now() - began;
    assert.ok(ms > 3_500 && ms < 9_500, `${ms} ms`);
    const other = await runCli(['status', '--uri', `${server.uri}&replicaSet=other`]);
    assert.equal(other.status, 2, other.stderr);
    assert.match(other.stderr, /is no member of a replica set, and replicaSet=other was asked for/);
  } finally {
    await set.stop();
  }
});
