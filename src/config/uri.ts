/** Connection strings: their parts, as far as this program fills in or reads them. The driver has the last word. */

export interface UriParts {
  readonly scheme: 'mongodb' | 'mongodb+srv';
  /** Percent-encoded, as written. */
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly hosts: string;
  /** Percent-decoded. */
  readonly database: string | undefined;
  /** `key=value` pairs as written. */
  readonly query: readonly string[];
}

const SHAPE = /^(mongodb(?:\+srv)?):\/\/(?:([^@/?#]*)@)?([^@/?#]+)(?:\/([^@/?#]*))?(?:\?([^@#]*))?$/i;
const ADDRESS = /^(?:\[[^\]]+\]|[^:[\]]+)(?::\d{1,5})?$/;

/** @returns undefined where the text is no connection string. */
export function parseUri(text: string): UriParts | undefined {
  const match = SHAPE.exec(text);
  if (!match || /\s/.test(text)) return undefined;
  const [, scheme, credentials, hosts, database, query] = match;
  const [username, ...password] = credentials?.split(':') ?? [];
  if (credentials !== undefined && !username) return undefined;
  if (!hosts.split(',').every((host) => ADDRESS.test(host))) return undefined;
  // A colon or an @ in a name or password has to be percent-encoded; two colons are no user and password.
  if (password.length > 1) return undefined;
  const decoded = database ? percentDecoded(database) : '';
  if (decoded === undefined) return undefined;
  if ([username, ...password].some((part) => part !== undefined && percentDecoded(part) === undefined))
    return undefined;
  return {
    scheme: scheme.toLowerCase() as UriParts['scheme'],
    username,
    password: password[0] || undefined,
    hosts,
    database: decoded || undefined,
    query: query?.split('&').filter((pair) => pair !== '') ?? [],
  };
}

/** How a password is written in a connection string. */
export const PERCENT_ENCODE =
  'percent-encode the name and the password: % as %25, @ as %40, : as %3A, / as %2F, ? as %3F, # as %23';

/** What a connection string looks like, and what is amiss with a text that is none. */
export function uriForms(text: string): string {
  return `a connection string: mongodb://host:port or mongodb+srv://host; ${wayOut(text)}`;
}

function wayOut(text: string): string {
  const rest = /^\s*mongodb(?:\+srv)?:\/\/(.*)$/is.exec(text)?.[1];
  if (rest === undefined) return 'begin it with mongodb:// or mongodb+srv://';
  if (/\s/.test(text.trim()) && !rest.includes('@'))
    return 'write it without blanks, in quotes for the shell';
  // Without a host after it, what stands where a port should may be a password, too.
  if (rest.includes('@') || !parseUri(`mongodb://${rest.split(/[/?]/)[0]}`)) return PERCENT_ENCODE;
  return 'write options behind a ?, as in mongodb://host:port/?replicaSet=name';
}

/** The connection string of these parts. */
export function formatUri({ scheme, username, password, hosts, database, query }: UriParts): string {
  const credentials =
    username === undefined ? '' : `${username}${password === undefined ? '' : `:${password}`}@`;
  const path = database === undefined && query.length === 0 ? '' : `/${encodeURIComponent(database ?? '')}`;
  const options = query.length === 0 ? '' : `?${query.join('&')}`;
  return `${scheme}://${credentials}${hosts}${path}${options}`;
}

/** True where the connection string says something about an option itself. Names of options ignore case. */
export function hasOption({ query }: UriParts, ...names: readonly string[]): boolean {
  const wanted = names.map((name) => name.toLowerCase());
  return query.some((pair) => wanted.includes(pair.split('=')[0].toLowerCase()));
}

/** @returns undefined where the text holds a malformed escape. */
export function percentDecoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
