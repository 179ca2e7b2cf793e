/**
 * Bundles the script of pages, and the program and its worker entries, with the libraries that are slow to load file by file: the driver has some two hundred.
 * The library (`dist/src/index.js`) stays as the compiler makes it.
 */
import { readdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
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

/**
 * Parts of the driver that every start would pay for. Node has the URL that connection strings are read with; tables
 * for preparing passwords are read when a password has to be prepared.
 */
const lighterDriver = {
  name: 'lighter-driver',
  setup({ onResolve, onLoad }) {
    const namespace = 'lighter-driver';
    const saslprep = createRequire(import.meta.url).resolve('@mongodb-js/saslprep');
    const contents = {
      'whatwg-url': 'module.exports = { URL, URLSearchParams };',
      '@mongodb-js/saslprep': `exports.saslprep = (...text) => require(${JSON.stringify(saslprep)}).saslprep(...text);`,
    };
    onResolve({ filter: /^(whatwg-url|@mongodb-js\/saslprep)$/ }, ({ path }) => ({ path, namespace }));
    onLoad({ filter: /./, namespace }, ({ path }) => ({ contents: contents[path], resolveDir: '.' }));
  },
};

rmSync('dist/bundled', { recursive: true, force: true });
await build({
  ...common,
  entryPoints: ['dist/src/cli/start.js', ...workers.map((name) => `dist/workers/${name}`)],
  chunkNames: 'src/load/[name]-[hash]',
  splitting: true,
  plugins: [lighterDriver],
  target: 'node20',
  // These find files of their own at run time, or are loaded only now and then.
  external: ['hyparquet-writer', 'piscina', 'cli-progress', 'mongodb-memory-server-core', 'yaml', 'uplot'],
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
