import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, test } from 'vitest'
import { installPacked } from '../helpers/install-packed.ts'
import { needsProgram } from '../helpers/needs-program.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'

const root = resolve(import.meta.dirname, '../..')
const run = (cwd: string, program: string, ...args: string[]) => execFileSync(program, args, { cwd, encoding: 'utf8' })

test.runIf(needsProgram('npm') && needsProgram('tar'))(
  'the packed package, laid out in an empty folder, imports by every door and runs its program',
  {
    timeout: 240_000,
  },
  () => {
    using directory = temporaryDirectory('packed')
    const folder = join(directory.path, 'user')
    mkdirSync(folder)
    const paths = installPacked(folder, directory.path)
    expect(paths).toEqual(
      expect.arrayContaining(['dist/index.js', 'dist/index.d.ts', 'lib/README.md', 'LICENSE', 'README.md']),
    )
    expect(
      paths.filter(path => /^(test|bench|\.ci)\/|dist\/(docs|coverage)\/|\.map$|^lib\/.*\.ts$/.test(path)),
    ).toEqual([])

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
