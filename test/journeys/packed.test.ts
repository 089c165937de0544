import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, test } from 'vitest'
import { needsProgram } from '../helpers/needs-program.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'

const root = resolve(import.meta.dirname, '../..')
const run = (cwd: string, program: string, ...args: string[]) => execFileSync(program, args, { cwd, encoding: 'utf8' })

/** Installs the package as an installer would: the packed files and the declared dependencies only. */
function install(folder: string, tarball: string): void {
  const target = join(folder, 'node_modules/layerstore')
  mkdirSync(target, { recursive: true })
  run(folder, 'tar', '-xzf', tarball, '-C', target, '--strip-components=1')
  const wanted = Object.keys(JSON.parse(readFileSync(join(target, 'package.json'), 'utf8')).dependencies)
  for (let name = wanted.shift(); name; name = wanted.shift()) {
    const source = join(root, 'node_modules', name)
    const copy = join(folder, 'node_modules', name)
    if (existsSync(copy)) continue
    cpSync(source, copy, { recursive: true, dereference: true })
    wanted.push(...Object.keys(JSON.parse(readFileSync(join(source, 'package.json'), 'utf8')).dependencies ?? {}))
  }
}

test.runIf(needsProgram('npm') && needsProgram('tar'))(
  'the packed package, laid out in an empty folder, imports by every door and runs its program',
  {
    timeout: 120_000,
  },
  () => {
    using directory = temporaryDirectory('packed')
    const folder = join(directory.path, 'user')
    mkdirSync(folder)
    // The build has been made before the tests; packing must not make it again under the feet of other tests.
    const packed = run(root, 'npm', 'pack', '--ignore-scripts', '--json', '--pack-destination', directory.path)
    const [{ filename, files }] = JSON.parse(packed) as [{ filename: string; files: { path: string }[] }]
    const paths = files.map(file => file.path)
    expect(paths).toEqual(
      expect.arrayContaining(['dist/index.js', 'dist/index.d.ts', 'lib/README.md', 'LICENSE', 'README.md']),
    )
    expect(
      paths.filter(path => /^(test|bench|\.ci)\/|dist\/(docs|coverage)\/|\.map$|^lib\/.*\.ts$/.test(path)),
    ).toEqual([])
    install(folder, join(directory.path, filename))

    const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
      exports: Record<string, unknown>
    }
    const doors = Object.keys(exports).filter(door => door !== './package.json')
    const script = doors.map(door => `await import(${JSON.stringify(door.replace(/^\./, 'layerstore'))})`).join('\n')
    writeFileSync(join(folder, 'imports.mjs'), `${script}\nconsole.log('all')`)
    expect(run(folder, process.execPath, 'imports.mjs')).toBe('all\n')
    writeFileSync(join(folder, 'require.cjs'), `console.log(typeof require('layerstore').openStore)`)
    expect(run(folder, process.execPath, 'require.cjs')).toBe('function\n')

    // The front door loads node:http with the first request, and the code of builds with the first build.
    const loads = `import 'layerstore'
const isHttp = name => /^NativeModule (_http_client|https)$/.test(name)
console.log(process.moduleLoadList.filter(isHttp))`
    writeFileSync(join(folder, 'loads.mjs'), loads)
    expect(run(folder, process.execPath, 'loads.mjs')).toBe('[]\n')

    const bin = join(folder, 'node_modules/layerstore/dist/cli/main.js')
    const cli = (...args: string[]) => run(folder, process.execPath, bin, '--store', 'images', ...args)
    mkdirSync(join(folder, 'a'))
    writeFileSync(join(folder, 'a/hello.txt'), 'hello')
    const digest = cli('append', 'scratch', '--dir', 'a:/srv', '-t', 'mine:1', '--quiet').trim()
    expect(digest).toMatch(/^sha256:[0-9a-f]{64}$/)
    expect(JSON.parse(cli('inspect', 'mine:1', '--platform', 'linux/amd64', '--json')).descriptor.digest).toBe(digest)
    // Unpacking writes in a thread, whose file must have come along.
    cli('unpack', 'mine:1', 'unpacked', '--rootless', '--platform', 'linux/amd64')
    expect(readFileSync(join(folder, 'unpacked/srv/hello.txt'), 'utf8')).toBe('hello')
    expect(readdirSync(join(folder, 'images')).sort()).toEqual(['.layerstore', 'blobs', 'index.json', 'oci-layout'])
  },
)
