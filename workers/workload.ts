/** The piscina entry of `workload`: drives the clients of one thread. */
import { makeSteadyClient } from '../src/connect/connect.js';
import { buildFleet } from '../src/fleet/build.js';
import { unshare } from '../src/threads/counters.js';
import { drive, Pulse, type ThreadResult } from '../src/workload/drive.js';
import { Questions } from '../src/workload/queries.js';
import { Truth } from '../src/workload/truth.js';
import type { WorkloadTask } from '../src/workload/workload.js';

export default async function driveClients({ context, how, pulse }: WorkloadTask): Promise<ThreadResult> {
  const { fleet, dataset, connection } = unshare(context);
  const questions = new Questions(new Truth(buildFleet(fleet), dataset));
  const client = await makeSteadyClient(connection, {
    maxPoolSize: how.clients.length,
    minPoolSize: how.clients.length,
  });
  try {
    await client.connect();
    return await drive(client.db(connection.database), questions, how, new Pulse(pulse));
  } finally {
    await client.close();
  }
}
