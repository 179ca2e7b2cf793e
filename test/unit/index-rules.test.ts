/**
 * What an index of somebody else's does to documents of ours depends on what is in them: a fleet
 * file may put anything there.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Document } from 'mongodb';
import { indexProblem, type WantedDocuments } from '../../src/inspect/index-rules.js';
import type { IndexFacts } from '../../src/inspect/inspect.js';

const NOW = new Date('2025-03-01');

function index(key: Document, more: Partial<IndexFacts> = {}): IndexFacts {
  return {
    name: 'theirs',
    key: Object.entries(key),
    unique: false,
    partialFilter: undefined,
    sparse: false,
    hidden: false,
    collated: false,
    expireAfterSeconds: undefined,
    languageField: undefined,
    ...more,
  };
}

/** What is in the way of assets with these data. */
function problemOfAssets(data: Document, found: IndexFacts): string | undefined {
  const wanted: WantedDocuments = {
    layout: 'flat',
    resuming: false,
    oldest: NOW,
    lastUpdated: NOW,
    now: NOW,
    assets: () => [{ _id: 'a', asset_id: 'a', data }],
  };
  return indexProblem('assets', { empty: true, indexes: [found] }, wanted)?.what;
}

test('hashed: a list is refused, wherever the path meets it', () => {
  const hashed = index({ 'data.racks.row': 'hashed' });
  assert.equal(problemOfAssets({ racks: { row: 'a' } }, hashed), undefined);
  assert.equal(problemOfAssets({ other: ['a'] }, hashed), undefined);
  assert.match(problemOfAssets({ racks: { row: ['a'] } }, hashed) ?? '', /lists \(data\.racks\.row\)/);
  assert.match(problemOfAssets({ racks: [{ row: 'a' }] }, hashed) ?? '', /lists \(data\.racks\)/);
});

test('over several fields: two lists are refused, one or the same is not', () => {
  const both = index({ 'data.racks.row': 1, 'data.tags': 1 });
  assert.equal(problemOfAssets({ racks: [{ row: 1 }], tags: 'x' }, both), undefined);
  assert.equal(problemOfAssets({ racks: { row: 1 }, tags: ['x'] }, both), undefined);
  assert.match(
    problemOfAssets({ racks: [{ row: 1 }], tags: ['x'] }, both) ?? '',
    /several lists \(data\.racks, data\.tags\)/,
  );
  const same = index({ 'data.racks.row': 1, 'data.racks.unit': 1 });
  assert.equal(problemOfAssets({ racks: [{ row: 1, unit: 2 }] }, same), undefined);
});

test('text: a field by the name of the language is refused at any depth', () => {
  const text = index({ _fts: 'text', _ftsx: 1 }, { languageField: 'language' });
  assert.equal(problemOfAssets({ os: { name: 'Debian' } }, text), undefined);
  assert.match(problemOfAssets({ os: { language: 'klingon' } }, text) ?? '', /takes language for a language/);
  assert.match(problemOfAssets({ disks: [{ language: 1 }] }, text) ?? '', /takes language for a language/);
});

test('geometric: a value is refused, nothing at all is not', () => {
  const place = index({ 'data.place': '2dsphere' });
  assert.equal(problemOfAssets({ room: 'Rome' }, place), undefined);
  assert.equal(problemOfAssets({ place: null }, place), undefined);
  assert.match(problemOfAssets({ place: 'Rome' }, place) ?? '', /takes data\.place for a place/);
});

test('a kind of index that nobody knew is refused', () => {
  assert.match(problemOfAssets({}, index({ hostname: 'trigram' })) ?? '', /unknown kind trigram/);
});
