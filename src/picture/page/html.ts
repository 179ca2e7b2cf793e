import type { DatasetPicture } from '../picture.js';
export function renderPage(picture: DatasetPicture): string {
  return JSON.stringify(picture);
}
