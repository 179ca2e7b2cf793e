/** Whether anything answers on a port. */
import { connect } from 'node:net';

/** On loopback a listening server accepts at once. */
const PROBE_MS = 300;

/** True when a TCP connection to `host:port` is accepted in time. */
export function isListening(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: PROBE_MS });
    const answer = (listening: boolean) => {
      socket.destroy();
      resolve(listening);
    };
    socket.once('connect', () => answer(true));
    socket.once('timeout', () => answer(false));
    socket.once('error', () => answer(false));
  });
}
