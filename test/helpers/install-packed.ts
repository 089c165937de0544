import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

const root = resolve(import.meta.dirname, '../..')

/**
 * Packs the package and installs it in a folder as an installer would: the packed files and the declared dependencies
 * only. Returns the paths that were packed. Needs npm and tar.
 *
 * @param beside - Directory for the packed file.
 */
export function installPacked(folder: string, beside: string): string[] {
  const run = (program: string, ...args: string[]) => execFileSync(program, args, { cwd: root, encoding: 'utf8' })
  // The build was made before the tests; another one would remove files that other tests use.
  const packed = run('npm', 'pack', '--ignore-scripts', '--json', '--pack-destination', beside)
  const [{ filename, files }] = JSON.parse(packed) as [{ filename: string; files: { path: string }[] }]
  const target = join(folder, 'node_modules/layerstore')
  mkdirSync(target, { recursive: true })
  run('tar', '-xzf', join(beside, filename), '-C', target, '--strip-components=1')
  const dependenciesOf = (directory: string): string[] =>
    Object.keys(JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8')).dependencies ?? {})
  const wanted = dependenciesOf(target)
  for (let name = wanted.shift(); name; name = wanted.shift()) {
    const source = join(root, 'node_modules', name)
    const copy = join(folder, 'node_modules', name)
    if (existsSync(copy)) continue
    cpSync(source, copy, { recursive: true, dereference: true })
    wanted.push(...dependenciesOf(source))
  }
  return files.map(file => file.path)
}
