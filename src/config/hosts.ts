/** The host list of a connection. */

export interface Host {
  /** As a connection string spells it: IPv6 addresses in brackets, socket paths percent-encoded. */
  readonly name: string;
  /** Undefined: the common port; socket paths have none. */
  readonly port: number | undefined;
  readonly socket: boolean;
}

const NAME = /^[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,252})$/;
const IPV6 = /^[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*$/;

/** Host names, IPv4 and IPv6 addresses and socket paths, separated by commas, each with a port or without. */
export function parseHosts(text: string): readonly Host[] | undefined {
  const hosts = text.split(',').map((part) => parseHost(part.trim()));
  return hosts.includes(undefined) ? undefined : (hosts as Host[]);
}

function parseHost(text: string): Host | undefined {
  if (text.startsWith('/')) {
    const usable = text.length <= 108 && !/[\0\s]/.test(text);
    return usable ? { name: encodeURIComponent(text), port: undefined, socket: true } : undefined;
  }
  const bracketed = /^\[([^\]]+)\](?::(\d{1,5}))?$/.exec(text);
  if (bracketed) return IPV6.test(bracketed[1]) ? withPort(`[${bracketed[1]}]`, bracketed[2]) : undefined;
  if (text.split(':').length > 2) return IPV6.test(text) ? withPort(`[${text}]`, undefined) : undefined;
  const [name, port] = text.split(':');
  if (!NAME.test(name) || (port !== undefined && !/^\d{1,5}$/.test(port))) return undefined;
  return withPort(name, port);
}

function withPort(name: string, port: string | undefined): Host | undefined {
  if (port === undefined) return { name, port: undefined, socket: false };
  const number = Number(port);
  return number >= 1 && number <= 65_535 ? { name, port: number, socket: false } : undefined;
}
