/** All assets that are polled: machines, and below each its services. */
import type { AvailabilityPicture, DatasetPicture } from '../picture.js';

export interface PolledAsset {
  readonly name: string;
  readonly assetId: string;
  readonly kind: 'host' | 'service';
  readonly availability: AvailabilityPicture;
}

type Asset = Omit<PolledAsset, 'kind' | 'availability'> & {
  readonly availability: AvailabilityPicture | null;
};

/** In the order in which the page, and its script, number them. */
export function polledAssets(picture: DatasetPicture): PolledAsset[] {
  return picture.machines.flatMap((machine) => polledOf(picture, machine.assetId));
}

/** A machine and its services, as far as they are polled. */
export function polledOf({ machines, services }: DatasetPicture, hostId: string): PolledAsset[] {
  const polled = ({ name, assetId, availability }: Asset, kind: PolledAsset['kind']) =>
    availability ? [{ name, assetId, kind, availability }] : [];
  return [
    ...machines.filter(({ assetId }) => assetId === hostId).flatMap((one) => polled(one, 'host')),
    ...services.filter((one) => one.hostId === hostId).flatMap((one) => polled(one, 'service')),
  ];
}
