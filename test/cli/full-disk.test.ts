import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openStore } from '../../lib/disk-store/index.ts'
import { mixedBytes } from '../helpers/mixed-bytes.ts'
import { mount } from '../helpers/mount.ts'
import { needsRoot } from '../helpers/needs-root.ts'
import { cli } from '../helpers/run-cli.ts'
import { sampleImage } from '../helpers/sample-image.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'

describe.runIf(needsRoot())('a full disk', () => {
  let directory: ReturnType<typeof temporaryDirectory>
  let full: ReturnType<typeof mount>
  beforeAll(async () => {
    directory = temporaryDirectory('cli-full-disk')
    full = mount(join(directory.path, 'full'), '-t', 'tmpfs', '-o', 'size=64k', 'tmpfs')
    const large = mixedBytes(256 * 1024)
    await using store = await openStore(join(directory.path, 'store'), { durability: 'none' })
    await sampleImage(store, [{ large }], { name: 'demo:1' })
    mkdirSync(join(directory.path, 'context'))
    writeFileSync(join(directory.path, 'context/Dockerfile'), 'FROM scratch\nCOPY large /\n')
    writeFileSync(join(directory.path, 'context/large'), large)
  })
  afterAll(() => {
    full[Symbol.dispose]()
    directory[Symbol.dispose]()
  })

  const [directoryAdvice, fileAdvice, storeAdvice] = [
    'make room there, or name a directory on another disk',
    'make room there, or name a file on another disk',
    'make room, e.g. with "layerstore gc", and repeat',
  ]

  test.each([
    ['unpack demo:1 @full/x', 'ERR_UNPACK', directoryAdvice],
    ['build @context --output @full/x', 'ERR_UNPACK', directoryAdvice],
    ['build @context --output type=oci,dest=@full/x', 'ERR_STORE_IO', fileAdvice],
    ['export demo:1 -o @full/x', 'ERR_STORE_IO', fileAdvice],
    ['analyze demo:1 --html @full/x', 'ERR_OUTPUT', fileAdvice],
    ['copy store:demo:1 oci:@full/layout:1', 'ERR_STORE_IO', storeAdvice],
    ['copy store:demo:1 oci-archive:@full/x', 'ERR_STORE_IO', storeAdvice],
  ])('ends "%s" with what to do next', async (words, code, advice) => {
    const args = words.split(' ').map(word => word.replace('@', `${directory.path}/`))
    const { code: exit, stderr } = await cli(args, { store: join(directory.path, 'store') })
    const last = stderr.trimEnd().split('\n').at(-1)!
    expect(exit).toBe(1)
    expect(last).toContain('ENOSPC')
    // Also the directory beside an archive in which its blobs are gathered. An unpacked path has the layer it is of.
    expect(last).toContain(code === 'ERR_UNPACK' ? 'in layer sha256:' : `${directory.path}/full/`)
    expect(last.endsWith(`; ${advice} (${code})`), last).toBe(true)
  })

  test('leaves the report that was there', async () => {
    const report = join(full.path, 'report.html')
    rmSync(join(full.path, 'x'), { recursive: true, force: true })
    rmSync(join(full.path, 'layout'), { recursive: true, force: true })
    writeFileSync(report, 'of yesterday')
    const { code } = await cli(['analyze', 'demo:1', '--html', report], { store: join(directory.path, 'store') })
    expect(code).toBe(1)
    expect(readFileSync(report, 'utf8')).toBe('of yesterday')
    expect(readdirSync(full.path)).toEqual(['report.html'])
  })
})
