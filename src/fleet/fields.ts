/** Kinds of fields of a fleet file, and how a field is read from a file that may be anything. */
import * as z from 'zod';

export const matching = (pattern: RegExp, error: string) => z.string({ error }).regex(pattern, { error });
export const text = (most: number) =>
  z
    .string({ error: 'a text' })
    .min(1, { error: 'a text that is not empty' })
    .max(most, { error: `at most ${most} characters` });
export const number = (min: number, max: number) => {
  const error = `a number from ${min} to ${max}`;
  return z.number({ error }).min(min, { error }).max(max, { error });
};
export const wholeNumber = (min: number, max: number) => {
  const error = `a whole number from ${min} to ${max}`;
  return z.number({ error }).int({ error }).min(min, { error }).max(max, { error });
};
export const list = <T extends z.ZodType>(entry: T, error: string) => z.array(entry, { error });

export const id = matching(
  /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/,
  'an id: letters, digits, dots, dashes and underscores, at most 100',
);

/** What is wrong with a field. */
export interface Complaint {
  readonly path: readonly PropertyKey[];
  readonly what: string;
}

export function fieldAt(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? (value as Readonly<Record<string, unknown>>)[name]
    : undefined;
}

export function listAt(value: unknown, name: string): readonly unknown[] {
  const field = fieldAt(value, name);
  return Array.isArray(field) ? field : [];
}

export function textAt(value: unknown, name: string): string | undefined {
  const field = fieldAt(value, name);
  return typeof field === 'string' ? field : undefined;
}
