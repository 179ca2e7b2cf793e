/** Which member of a set is read, where the connection string leaves a choice. */
import type { Db } from 'mongodb';
import type { ConnectionSettings } from '../config/settings.js';
import { formatUri, hasOption, parseUri } from '../config/uri.js';

export interface Member {
  readonly role: 'primary' | 'secondary' | 'standalone' | 'router';
  /** Host and port by which the set knows it; undefined where there is no set. */
  readonly address: string | undefined;
}

/** The member that the connection string's read preference leads to now. */
export async function chooseMember(reader: Db): Promise<Member> {
  const { readPreference } = reader;
  const hello = await reader.command({ hello: 1 }, { readPreference });
  if (hello.msg === 'isdbgrid') return { role: 'router', address: undefined };
  if (hello.setName === undefined) return { role: 'standalone', address: undefined };
  return { role: hello.isWritablePrimary ? 'primary' : 'secondary', address: hello.me };
}

/**
 * Settings that lead to this member and no other: of several secondaries each would else answer some of the queries, and one of them may
 * lag. The primary is the driver's to find, also after an election.
 */
export function connectionTo(
  { role, address }: Member,
  reader: Db,
  connection: ConnectionSettings,
): ConnectionSettings {
  const parts = parseUri(connection.uri);
  if (!parts || role === 'router' || role === 'standalone') return connection;
  if (role === 'primary' || address === undefined) {
    return { ...connection, uri: formatUri({ ...parts, query: parts.query.filter(isNoPreference) }) };
  }
  // The driver has read these from the name service, where a name stands for the hosts.
  const { tls, credentials } = reader.client.options;
  const query = parts.query.filter((pair) => !/^(?:replicaSet|directConnection|srv\w*)=/i.test(pair));
  if (tls && !hasOption(parts, 'tls', 'ssl')) query.push('tls=true');
  if (credentials?.source && !hasOption(parts, 'authSource')) {
    query.push(`authSource=${encodeURIComponent(credentials.source)}`);
  }
  query.push('directConnection=true');
  return { ...connection, uri: formatUri({ ...parts, scheme: 'mongodb', hosts: address, query }) };
}

function isNoPreference(pair: string): boolean {
  return !/^(?:readPreference|readPreferenceTags|maxStalenessSeconds)=/i.test(pair);
}
