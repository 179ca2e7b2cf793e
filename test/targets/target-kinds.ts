/**
 * Databases that somebody else made, for loads to meet: what is there before, and what a load has
 * to do about it.
 */
import { COLLECTION_KINDS } from './target-collections.js';
import { DOCUMENT_KINDS } from './target-documents.js';
import { INDEX_KINDS } from './target-indexes.js';
import type { TargetKind } from './target-kind.js';

export const TARGET_KINDS: readonly TargetKind[] = [...COLLECTION_KINDS, ...INDEX_KINDS, ...DOCUMENT_KINDS];
