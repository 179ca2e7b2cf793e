/** Connection settings that no server can make right: refused before anything is connected to. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import * as zlib from 'node:zlib';
import type { MongoClient } from 'mongodb';
import { usageError } from '../errors.js';

/** Compressors that need a package, as the driver loads it. */
const PACKAGES: Readonly<Record<string, string>> = { snappy: 'snappy', zstd: '@mongodb-js/zstd' };

/**
 * Looks at what the driver has made of its settings.
 * @throws SeedError (usage) for compression whose package is missing, and for certificates and keys that cannot be used
 */
export function refuseUnusable({ options }: MongoClient): void {
  for (const name of options.compressors ?? []) refuseMissing(name);
  if (options.tls) refuseWrongFiles(options);
}

function refuseMissing(compressor: string): void {
  const name = PACKAGES[compressor];
  if (name === undefined || (compressor === 'zstd' && 'zstdCompress' in zlib)) return;
  try {
    createRequire(import.meta.url)(name);
  } catch {
    const orNode = compressor === 'zstd' ? ', or use Node 22.15 or later' : '';
    throw usageError(
      `compression with ${compressor} needs the package ${name}, which is not installed`,
      `install it beside this program (npm install ${name})${orNode}, or choose zlib, which needs nothing`,
    );
  }
}

/** What the driver puts into its TLS options, and the files that it reads when it connects. */
interface TlsOptions extends SecureContextOptions {
  readonly tlsCAFile?: string;
  readonly tlsCertificateKeyFile?: string;
  readonly tlsCRLFile?: string;
}

const CERTIFICATE = /-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----/;

function refuseWrongFiles(options: TlsOptions): void {
  const { tlsCAFile, tlsCertificateKeyFile, tlsCRLFile, passphrase } = options;
  const own = tlsCertificateKeyFile === undefined ? undefined : readFileSync(tlsCertificateKeyFile);
  const ca = tlsCAFile === undefined ? options.ca : readFileSync(tlsCAFile);
  const crl = tlsCRLFile === undefined ? options.crl : readFileSync(tlsCRLFile);
  // Node takes any text for those of an authority, and then trusts nobody.
  if (tlsCAFile !== undefined && !CERTIFICATE.test(String(ca))) {
    throw usageError(
      `the certificates of the authority cannot be used: there is none in ${tlsCAFile}`,
      'name a file of certificates in PEM form',
    );
  }
  refuseUnless('the list of revoked certificates', { crl });
  const cert = options.cert ?? own;
  const key = options.key ?? own;
  refuseUnless('the client certificate', { cert });
  try {
    createSecureContext({ cert, key, passphrase });
  } catch (error) {
    const text = String(key);
    if (/ENCRYPTED/.test(text)) {
      const cause = passphrase === undefined ? 'is encrypted' : 'is encrypted with another passphrase';
      throw usageError(
        `the key of the client certificate ${cause}`,
        'add tlsCertificateKeyFilePassword=… to the connection string, or decrypt the key: openssl pkey -in KEY -out PLAIN',
      );
    }
    throw usageError(
      `the key of the client certificate cannot be used: ${reasonOf(error)}`,
      'name the PEM files of a certificate and of its own key',
    );
  }
}

function refuseUnless(what: string, context: SecureContextOptions): void {
  try {
    createSecureContext(context);
  } catch (error) {
    throw usageError(`${what} cannot be used: ${reasonOf(error)}`, 'name a file of certificates in PEM form');
  }
}

/** `error:0480006C:PEM routines::no start line` → `no start line`. */
function reasonOf(error: unknown): string {
  const { reason, message } = error as Error & { reason?: string };
  return reason ?? message.replace(/^error:\w+:[^:]*::/, '');
}
