/** Keeps secrets out of everything that is printed, logged or stored. */
import type { Settings } from './settings.js';
import { formatUri, parseUri, percentDecoded } from './uri.js';

const MASK = '****';
/** As messages write what goes where. */
const PLACEHOLDER = /^host:port\/?$/;
/** Options of a connection string whose values are secrets. */
const SECRET_OPTION = /pass|token|secret|^authmechanismproperties$/i;
/**
 * Without the quotes and the punctuation of the sentence around it; a password may hold an
 * apostrophe.
 */
const ANY_URI = /mongodb(?:\+srv)?:\/\/(?:[^\s"`<>@/]*@)?[^\s"'`<>]*[^\s"'`<>:;,.)]/gi;
/** A shorter "secret" would blank out half of any text, and protects nothing. */
const MIN_SECRET_LENGTH = 3;

/**
 * A connection string without its password and other secrets. Works on any text: where it is not a
 * well-formed connection string, everything before the last `@` is taken for credentials.
 */
export function maskUri(uri: string): string {
  const parts = parseUri(uri);
  if (parts) {
    const password = parts.password === undefined ? undefined : MASK;
    return formatUri({ ...parts, password, query: parts.query.map(maskOption) });
  }
  const start = uri.indexOf('://') === -1 ? 0 : uri.indexOf('://') + 3;
  const at = uri.lastIndexOf('@');
  const credentials = at < start ? '' : `${MASK}@`;
  const [address, ...options] = uri.slice(Math.max(at + 1, start)).split(/(?=[?&])/);
  // What stands where a port should may be a password whose host was forgotten.
  const shown = PLACEHOLDER.test(address)
    ? address
    : address.replace(/:(?!\d{1,5}(?:[,/]|$))[^,/\]]*/g, `:${MASK}`);
  const rest = options.map((option) => option[0] + maskOption(option.slice(1)));
  return [uri.slice(0, start), credentials, shown, ...rest].join('');
}

/**
 * A connection string that may stand in a command. `left` says what it then lacks: `password` can
 * be given in a variable of its own; with other secrets the whole string has to be, and `uri` is
 * undefined.
 */
export function uriWithoutSecrets(uri: string): {
  readonly uri: string | undefined;
  readonly left: 'nothing' | 'password' | 'all';
} {
  const parts = parseUri(uri);
  if (!parts || parts.query.some((pair) => maskOption(pair) !== pair)) return { uri: undefined, left: 'all' };
  const left = parts.password === undefined ? 'nothing' : 'password';
  return { uri: formatUri({ ...parts, password: undefined }), left };
}

function maskOption(pair: string): string {
  const [name] = pair.split('=');
  return SECRET_OPTION.test(percentDecoded(name) ?? name) ? `${name}=${MASK}` : pair;
}

/** A text whose connection strings are masked; a password that stands alone in it stays. */
export function maskUris(text: string): string {
  return text.replace(ANY_URI, maskUri);
}

/**
 * A text without the password of these settings, wherever and in whatever spelling it stands in it.
 */
export function maskSecrets(text: string, settings: Pick<Settings, 'connection'>): string {
  let masked = maskUris(text);
  for (const secret of secretsOf(settings)) masked = masked.replaceAll(secret, MASK);
  return masked;
}

/** Longest first, so that no secret is cut by one that it contains. */
function secretsOf({ connection }: Pick<Settings, 'connection'>): readonly string[] {
  const found = new Set<string>();
  const add = (secret: string | undefined) => {
    if (!secret) return;
    const decoded = percentDecoded(secret) ?? secret;
    const quoted = JSON.stringify(decoded).slice(1, -1);
    for (const spelling of [secret, decoded, encodeURIComponent(decoded), quoted]) found.add(spelling);
  };
  const parts = parseUri(connection.uri);
  add(parts?.password);
  for (const pair of parts?.query ?? []) {
    const [name, ...value] = pair.split('=');
    if (SECRET_OPTION.test(name)) add(value.join('='));
  }
  if (typeof connection.options.key === 'string') add(connection.options.key);
  return [...found]
    .filter((secret) => secret.length >= MIN_SECRET_LENGTH)
    .sort((a, b) => b.length - a.length);
}
