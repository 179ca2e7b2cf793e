/** What documents of this program look like to an index: where they have values, lists, fields of a name. Pure. */
import type { Document } from 'mongodb';
import type { Layout } from '../config/settings.js';

/** A record of each layout. */
export const SAMPLE_RECORDS: Readonly<Record<Layout, Document>> = {
  flat: {
    _id: '0123456789abcdef01234567',
    asset_id: 'vm-101',
    metric_name: 'cpu_usage',
    timestamp: new Date(0),
    value: 1,
    unit: 'percentage',
    tags: { environment: 'test', asset_type: 'vm' },
  },
  timeseries: { timestamp: new Date(0), meta: { asset_id: 'vm-101', metric_name: 'cpu_usage' }, value: 1 },
};

/** Values at a dotted path, as an index finds them: a list on the way stands for each of its members. */
function valuesAt(value: unknown, [name, ...rest]: readonly string[]): unknown[] {
  if (Array.isArray(value)) return value.flatMap((one) => valuesAt(one, [name, ...rest]));
  if (name === undefined) return [value];
  return isDocument(value) && name in value ? valuesAt(value[name], rest) : [];
}

export function hasValueAt(document: Document, path: string): boolean {
  return valuesAt(document, path.split('.')).some((value) => value !== undefined && value !== null);
}

/** The path of the first list that a dotted path meets; undefined where it meets none. */
export function listAt(document: Document, path: string): string | undefined {
  const names = path.split('.');
  let value: unknown = document;
  for (let length = 0; length <= names.length; length++) {
    if (Array.isArray(value)) return names.slice(0, length).join('.');
    if (!isDocument(value)) return undefined;
    value = value[names[length]];
  }
  return undefined;
}

/** Whether a document, or one inside it, has a field of this name. */
export function hasFieldNamed(value: unknown, name: string): boolean {
  if (Array.isArray(value)) return value.some((one) => hasFieldNamed(one, name));
  return isDocument(value) && (name in value || Object.values(value).some((one) => hasFieldNamed(one, name)));
}

function isDocument(value: unknown): value is Document {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);
}
