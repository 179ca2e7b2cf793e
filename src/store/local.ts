/** Whether a server shares this machine's cores. */
import { parseUri } from '../config/uri.js';

const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\]|%2F.*)(?::\d+)?$/i;

/** True where every host of the connection string is this machine: a loopback name or address, or a socket path. */
export function isLocal(uri: string): boolean {
  const hosts = parseUri(uri)?.hosts.split(',') ?? [];
  return hosts.length > 0 && hosts.every((host) => LOOPBACK.test(host));
}
