/**
 * Modules of the driver that it does not document. What they export is checked where they are
 * imported.
 */
declare module 'mongodb/lib/cmap/commands.js' {
  const exported: unknown;
  export default exported;
}
declare module 'mongodb/lib/cmap/connection.js' {
  const exported: unknown;
  export default exported;
}
