/** The picture room: what a dataset looks like, from the model or from a database, in a terminal or as a page. */
export { drawPicture } from './draw.js';
export { readDatabase } from './from-database.js';
export { readModel } from './from-model.js';
export { renderPage } from './page/html.js';
export type * from './picture.js';
export {
  availabilityBlock,
  type Block,
  backupBlock,
  promisesBlock,
  sourceBlock,
  sparklineBlock,
} from './terminal.js';
