/** Imported first: what the package needs fails on an older Node with errors that do not say so. */
import { usageError } from '../errors.js';
import { nodeRefusal } from '../supported-node.js';

const refusal = nodeRefusal(process.versions.node);
if (refusal !== undefined) throw usageError(refusal, 'install a newer one (https://nodejs.org)');
