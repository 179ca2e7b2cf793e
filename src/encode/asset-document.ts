/** An asset as the document of the `assets` collection. */
import type { Document } from 'mongodb';
import type { Asset } from '../fleet/types.js';

/** `last_updated` is the window's end: no wall clock enters a document of the dataset. */
export function assetDocument(asset: Asset, lastUpdated: Date): Document {
  return {
    _id: asset.assetId,
    asset_id: asset.assetId,
    asset_type: asset.assetType,
    ...('hostname' in asset ? { hostname: asset.hostname } : {}),
    ...('serviceName' in asset ? { service_name: asset.serviceName } : {}),
    data: asset.data,
    last_updated: lastUpdated,
  };
}
