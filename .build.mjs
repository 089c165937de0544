// npm run build: types and JavaScript by tsc, then one file for each group of rooms that are loaded together.
// Loading 240 small files costs 60 ms on an idle machine; bundled, with the lazy imports kept lazy, 25.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, relative, sep } from 'node:path'
import { rolldown } from 'rolldown'
import { directImports, loadedWith } from './.direct-imports.mjs'
import { threadTexts } from './.thread-texts.mjs'

const root = import.meta.dirname
const dist = join(root, 'dist')
const staged = join(root, 'dist', '.bundle')

rmSync(dist, { recursive: true, force: true })
execFileSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', 'tsconfig.json'], {
  cwd: root,
  stdio: 'inherit',
})

const doors = readdirSync(dist).filter(room => existsSync(join(dist, room, 'index.js')))
const input = { index: join(dist, 'index.js'), 'cli/main': join(dist, 'cli/main.js') }
for (const room of doors) input[`${room}/index`] = join(dist, room, 'index.js')
// The compiler leaves the ending of a lazy import as it is in functions that it rewrites for `await using`.
for (const file of files(dist).filter(path => path.endsWith('.js'))) {
  const text = readFileSync(file, 'utf8')
  const mended = text.replace(/\bimport\((['"])([^'"]+)\.ts\1\)/g, 'import($1$2.js$1)')
  if (mended !== text) writeFileSync(file, mended)
}
const direct = directImports(dist)
// What an import of the package loads: nothing of it needs node:fs.
const loaded = loadedWith(input.index, direct)
const bundle = await rolldown({
  cwd: root,
  input,
  platform: 'node',
  // What `includeDependenciesRecursively: false` needs.
  preserveEntrySignatures: 'allow-extension',
  external: id => !id.startsWith('.') && !id.startsWith('/'),
  plugins: [threadTexts(), { name: 'direct-imports', transform: direct }],
})
await bundle.write({
  dir: staged,
  format: 'esm',
  entryFileNames: '[name].js',
  chunkFileNames: 'shared/[name]-[hash].js',
  // PERF: one file for each room; else one for each set of entries that share a module, 96 files for an import, not 19.
  codeSplitting: {
    includeDependenciesRecursively: false,
    groups: [
      {
        name: id => relative(dist, id).split(sep)[0],
        test: id => loaded.has(id) && id !== input.index,
        debugName: 'room',
      },
    ],
  },
})
await bundle.close()

for (const file of files(dist).filter(path => !path.startsWith(staged) && path.endsWith('.js'))) rmSync(file)
for (const file of files(staged)) {
  const target = join(dist, file.slice(staged.length))
  mkdirSync(dirname(target), { recursive: true })
  renameSync(file, target)
}
rmSync(staged, { recursive: true })

function files(directory) {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath, entry.name))
}
