/**
 * Bundles the script of pages, and the program and its worker entries, with the libraries that are slow to load file by file: the driver has some two hundred.
 * The library (`dist/src/index.js`) stays as the compiler makes it.
 */
import { readdirSync, rmSync } from 'node:fs';
import { build } from 'esbuild';

const workers = readdirSync('dist/workers').filter((name) => name.endsWith('.js'));

const common = {
  outdir: 'dist/bundled',
  // Modules look for worker entries relative to themselves, so shared ones lie where they would in dist.
  outbase: 'dist',
  bundle: true,
  format: 'esm',
  platform: 'node',
  // Less to read at start-up; names stay, for what a stack trace says.
  minifyWhitespace: true,
  minifySyntax: true,
  logLevel: 'warning',
};

rmSync('dist/bundled', { recursive: true, force: true });
await build({
  ...common,
  entryPoints: ['dist/src/cli/start.js', ...workers.map((name) => `dist/workers/${name}`)],
  chunkNames: 'src/load/[name]-[hash]',
  splitting: true,
  target: 'node20',
  // These find files of their own at run time, or are loaded only now and then.
  external: [
    'hyparquet-writer',
    'piscina',
    'pino',
    'cli-progress',
    'mongodb-memory-server-core',
    'yaml',
    'uplot',
  ],
  // Libraries in CommonJS require what Node brings.
  banner: {
    js: "import { createRequire as bundledRequire } from 'node:module'; const require = bundledRequire(import.meta.url);",
  },
});
// For browsers, which pages are shown by.
await build({
  entryPoints: ['src/picture/page/browser/main.ts'],
  outfile: 'dist/bundled/page-script.js',
  bundle: true,
  format: 'esm',
  platform: 'browser',
  target: 'es2022',
  minify: true,
  logLevel: 'warning',
});
// Alone, and for any Node that knows modules: it says so where Node is too old for the rest.
await build({ ...common, entryPoints: ['dist/src/cli/main.js'], external: ['./start.js'], target: 'node14' });
