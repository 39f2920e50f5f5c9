// node web/bundle.js OUT: the page as iplist serves it (web.root = OUT). Names of assets carry a hash of their content.
import { copyFile, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const here = fileURLToPath(new URL('.', import.meta.url));
const out = process.argv[2];
if (!out) throw new Error('usage: node web/bundle.js OUT');

const unfinished = `${out}.unfinished`;
await rm(unfinished, { recursive: true, force: true });
await mkdir(unfinished, { recursive: true });
const { metafile } = await build({
  entryPoints: [join(here, 'src/main.js'), join(here, 'src/style.css')],
  outdir: join(unfinished, 'assets'),
  entryNames: '[name]-[hash]',
  bundle: true,
  minify: true,
  format: 'esm',
  target: ['es2022', 'chrome100', 'firefox100', 'safari16'],
  metafile: true,
  legalComments: 'none',
  logLevel: 'warning',
});
const asset = (ending) => {
  const [path] = Object.keys(metafile.outputs).filter((name) => name.endsWith(ending));
  return `/assets/${basename(path)}`;
};
const page = await readFile(join(here, 'index.html'), 'utf8');
await writeFile(join(unfinished, 'index.html'), page.replace('%STYLE%', asset('.css')).replace('%SCRIPT%', asset('.js')));
await copyFile(join(here, 'icon.svg'), join(unfinished, 'icon.svg'));
await rm(out, { recursive: true, force: true });
await rename(unfinished, out);
