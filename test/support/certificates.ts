/** A certificate authority of a test's own, made with openssl. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export class Authority {
  readonly folder = mkdtempSync(join(tmpdir(), 'seed-database-ca-'));
  /** The authority's certificate, PEM. */
  readonly ca = join(this.folder, 'ca.pem');

  constructor(name: string) {
    const key = join(this.folder, 'ca.key');
    const subject = ['-subj', `/O=${name}/CN=${name}`, '-days', '2'];
    openssl('req', '-x509', ...NEW_KEY, '-keyout', key, '-out', this.ca, ...subject);
  }

  /** A certificate for these host names or addresses, with its key, in one file and in two. */
  issue(
    name: string,
    hosts: readonly string[],
  ): { readonly both: string; readonly cert: string; readonly key: string } {
    const path = (ending: string) => join(this.folder, `${name}.${ending}`);
    const [key, request, cert, both, extensions] = ['key', 'csr', 'crt', 'pem', 'ext'].map(path);
    openssl('req', ...NEW_KEY, '-keyout', key, '-out', request, '-subj', `/O=test/OU=${name}/CN=${hosts[0]}`);
    const alternatives = hosts.map((host) => `${/^[\d.]+$/.test(host) ? 'IP' : 'DNS'}:${host}`).join(',');
    writeFileSync(extensions, `subjectAltName=${alternatives}\n`);
    const signed = [
      '-CA',
      this.ca,
      '-CAkey',
      path('key').replace(`${name}.key`, 'ca.key'),
      '-CAcreateserial',
    ];
    openssl('x509', '-req', '-in', request, ...signed, '-out', cert, '-days', '2', '-extfile', extensions);
    writeFileSync(both, readFileSync(cert, 'utf8') + readFileSync(key, 'utf8'), { mode: 0o600 });
    return { both, cert, key };
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

function openssl(...args: readonly string[]): void {
  execFileSync('openssl', args, { stdio: ['ignore', 'ignore', 'pipe'] });
}
