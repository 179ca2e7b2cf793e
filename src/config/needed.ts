/** Variables that are wrong and decide nothing stop no command: they are left out, with a word about it. */
import { type SettingName, settingEntry } from './catalog.js';
import { VALUES } from './schema.js';
import {
  type Candidate,
  type Candidates,
  describeCandidate,
  isServiceLink,
  Rank,
  rankOf,
  type SettingSources,
} from './sources.js';

/** What a connection string stands in for. */
const ADDRESS: readonly SettingName[] = ['host', 'port'];

/** True where the connection string says which server; a host or port from a stronger source replaces it. */
export function usesUri(candidates: Candidates): boolean {
  const byParts = Math.max(...ADDRESS.map((name) => rankOf(candidates, name)));
  return rankOf(candidates, 'uri') > Rank.default && rankOf(candidates, 'uri') >= byParts;
}

/** The candidates without addresses that cannot be read where a connection string says which server is meant. */
export function withoutUnneeded(candidates: Candidates): Candidates {
  if (!usesUri(candidates)) return candidates;
  const needed: Partial<Record<SettingName, Candidate>> = { ...candidates };
  for (const name of leftOut(candidates)) {
    needed[name] = { text: settingEntry(name).default ?? '', rank: Rank.default, source: 'default' };
  }
  return needed;
}

/** What is said about them. */
export function noticesOf(sources: SettingSources, candidates: Candidates): readonly string[] {
  const wrong = usesUri(candidates) ? leftOut(candidates) : [];
  const notices = wrong.map((name) => {
    const candidate = candidates[name];
    const label = candidate ? describeCandidate(name, candidate) : name;
    return `${label} is left out: the connection string says which server is meant`;
  });
  if (isServiceLink('port', sources) && !sources.unused?.includes('port')) {
    const named = Math.max(rankOf(candidates, 'uri'), rankOf(candidates, 'port'), rankOf(candidates, 'host'));
    const way = named > Rank.default ? '' : '; name the server with --uri, or --host and --port';
    notices.push(
      `MONGODB_PORT=${JSON.stringify(sources.environment.MONGODB_PORT).slice(1, -1)} is left out: it is a service link of Kubernetes or Docker, and no port${way}`,
    );
  }
  return notices;
}

function leftOut(candidates: Candidates): readonly SettingName[] {
  return ADDRESS.filter((name) => {
    const candidate = candidates[name];
    if (!candidate || candidate.rank === Rank.flag || candidate.rank === Rank.default) return false;
    return !VALUES.shape[name as 'host' | 'port'].safeParse(candidate.text).success;
  });
}
