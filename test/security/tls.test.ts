/**
 * TLS with a private authority: what it should let in, and what it must not, though the server
 * would speak in clear as well.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Authority } from '../support/certificates.js';
import { runCli } from '../support/cli.js';
import { assertEqualToPlan, load } from '../support/dataset.js';
import { freePort, startTestServer, type TestServer } from '../support/server.js';

let authority: Authority;
let stranger: Authority;
let server: TestServer;
let misnamed: TestServer;
let client: ReturnType<Authority['issue']>;
let number = 0;

before(async () => {
  authority = new Authority('ours');
  stranger = new Authority('stranger');
  client = authority.issue('client', ['client']);
  server = await startTls(['localhost', '127.0.0.1']);
  misnamed = await startTls(['db.example.org']);
});
after(async () => {
  await server?.stop();
  await misnamed?.stop();
  authority?.remove();
  stranger?.remove();
});

/**
 * Takes connections in clear too, which these tests start it with: a client that fell back would
 * get in.
 */
function startTls(hosts: readonly string[]): Promise<TestServer> {
  const { both } = authority.issue(`server-${hosts[0]}`, hosts);
  const files = ['--tlsCertificateKeyFile', both, '--tlsCAFile', authority.ca];
  return startTestServer({ args: ['--tlsMode', 'allowTLS', ...files] });
}

const FLAGS = ['--backup-only'];
const QUICK = { MONGODB_SERVER_SELECTION_TIMEOUT_MS: '1500' };

/** Loads with these variables instead of a connection string's options. */
function loadWith(port: number, variables: Readonly<Record<string, string>>, host = 'localhost') {
  const database = `tls_${++number}`;
  const place = { uri: `mongodb://${host}:${port}/`, database };
  return { place, result: load(place, FLAGS, { env: { ...QUICK, ...variables } }) };
}

test('our authority and our client certificate: in one file, in two, and by an address', async () => {
  const ca = { MONGODB_SSL_CA_PATH: authority.ca };
  const oneFile = { ...ca, MONGODB_SSL_CERT_PATH: client.both };
  const two = { ...ca, MONGODB_SSL_CERT_PATH: client.cert, MONGODB_SSL_KEY_PATH: client.key };
  for (const [variables, host] of [
    [oneFile, 'localhost'],
    [two, 'localhost'],
    [oneFile, '127.0.0.1'],
  ] as const) {
    const { result } = loadWith(server.port, variables, host);
    const { status, stderr } = await result;
    assert.equal(status, 0, stderr);
  }
});

test('verify speaks TLS as well', async () => {
  const variables = { MONGODB_SSL_CA_PATH: authority.ca, MONGODB_SSL_CERT_PATH: client.both };
  const { place, result } = loadWith(server.port, variables);
  assert.equal((await result).status, 0);
  const flags = ['verify', '--uri', place.uri, '--database', place.database];
  const { status, stdout } = await runCli(flags, { env: variables });
  assert.equal(status, 0);
  assert.match(stdout, /✅ Equal/);
  await assertEqualToPlan({ ...place, uri: server.uri });
});

const REFUSED: readonly [string, () => [TestServer, Record<string, string>], RegExp][] = [
  [
    'no authority',
    () => [server, { MONGODB_SSL_ENABLED: 'true', MONGODB_SSL_CERT_PATH: client.both }],
    /certificate/,
  ],
  [
    'another authority',
    () => [server, { MONGODB_SSL_CA_PATH: stranger.ca, MONGODB_SSL_CERT_PATH: client.both }],
    /certificate/,
  ],
  [
    'another host name',
    () => [misnamed, { MONGODB_SSL_CA_PATH: authority.ca, MONGODB_SSL_CERT_PATH: client.both }],
    /does not match certificate's altnames/,
  ],
  ['no client certificate', () => [server, { MONGODB_SSL_CA_PATH: authority.ca }], /cannot connect/],
  [
    'a client certificate of another authority',
    () => {
      const theirs = stranger.issue('client', ['client']);
      return [server, { MONGODB_SSL_CA_PATH: authority.ca, MONGODB_SSL_CERT_PATH: theirs.both }];
    },
    /cannot connect/,
  ],
];

for (const [what, given, reason] of REFUSED) {
  test(`refused: ${what}`, async () => {
    const [to, variables] = given();
    const { status, stderr } = await loadWith(to.port, variables).result;
    assert.equal(status, 3, stderr);
    assert.match(stderr, /cannot connect to MongoDB at /);
    assert.match(stderr, reason);
    assert.doesNotMatch(stderr, /^ +at /m);
  });
}

test('a server that speaks in clear only is refused where TLS is asked for', async () => {
  const plain = await startTestServer();
  try {
    const { status, stderr } = await loadWith(plain.port, { MONGODB_SSL_CA_PATH: authority.ca }).result;
    assert.equal(status, 3, stderr);
  } finally {
    await plain.stop();
  }
});

test('files that are missing, or no certificates: named, before anything is connected', async () => {
  const port = await freePort();
  for (const [variable, path] of [
    ['MONGODB_SSL_CA_PATH', '/nowhere/ca.pem'],
    ['MONGODB_SSL_CERT_PATH', '/nowhere/client.pem'],
  ]) {
    const { status, stderr } = await loadWith(port, { [variable]: path }).result;
    assert.equal(status, 2, stderr);
    assert.match(stderr, new RegExp(`${variable}=${path}`));
  }
  const { status, stderr } = await loadWith(server.port, { MONGODB_SSL_CA_PATH: '/etc/hostname' }).result;
  assert.ok(status === 2 || status === 3, `${status}: ${stderr}`);
  assert.doesNotMatch(stderr, /^ +at /m);
});
