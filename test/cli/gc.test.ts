import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { parseAmount } from '../../lib/cli/amounts/parse-amount.ts'
import { openStore } from '../../lib/disk-store/index.ts'
import { ageBlobs } from '../helpers/age-blobs.ts'
import { cli } from '../helpers/run-cli.ts'
import { putStoreImage } from '../helpers/store-image.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'

let directory: ReturnType<typeof temporaryDirectory>
let image: Awaited<ReturnType<typeof putStoreImage>>
let garbage: string
const run = (...args: string[]) => cli(args, { store: directory.path })

beforeEach(async () => {
  directory = temporaryDirectory('cli-gc')
  await using store = await openStore(directory.path, { durability: 'none' })
  image = await putStoreImage(store, 'a layer')
  await store.references.set('app:1', image.manifest)
  garbage = (await store.put(Buffer.from('garbage'))).digest
  const older = await putStoreImage(store, 'another layer')
  await store.references.set('app:0', older.manifest)
  ageBlobs(directory.path, 3 * 86_400_000)
  ageBlobs(directory.path, 2 * 86_400_000, [image.manifest.digest])
})
afterEach(() => directory[Symbol.dispose]())

describe('gc', () => {
  test('--dry-run says what would go and why, and removes nothing', async () => {
    const { code, stdout, stderr } = await run('gc', '--dry-run')
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout.split('\n')).toEqual([
      expect.stringMatching(/^ACT +WHAT +SIZE +WHY$/),
      expect.stringMatching(/^drop +sha256:\w{12} +7B +nothing reaches it$/),
      expect.stringMatching(/^would remove 1 blob, 7B; 6 blobs, \S+B in use$/m),
      '',
    ])
    const plan = JSON.parse((await run('gc', '--dry-run', '--json')).stdout)
    expect(plan).toMatchObject({ kind: 'collection', drop: [{ digest: garbage, size: 7 }], missing: [] })
    expect(plan.keep).toHaveLength(6)
  })

  test('names the lease that keeps blobs, and its holder', async () => {
    await using store = await openStore(directory.path, { durability: 'none' })
    await using _lease = await store.leases.hold({ label: 'push docker://a/b:1', digests: [image.manifest.digest] })
    await store.references.delete('app:1')
    const { stdout } = await run('gc', '--dry-run', '--explain')
    expect(stdout).toMatch(/ lease push docker:\/\/a\/b:1 → layer$/m)
    const by = `3 of them in use by "push docker://a/b:1" \\(process ${process.pid} on .*\\)`
    expect(stdout).toMatch(new RegExp(`^would remove 1 blob, 7B; 6 blobs, \\S+B kept, ${by}$`, 'm'))
    expect((await run('gc')).stdout).toMatch(new RegExp(`^removed 1 blob, 7B; 6 blobs stay, ${by}\n$`))
  })

  test('--explain also says on which way the rest is reached', async () => {
    const { stdout } = await run('prune', '-n', '--explain')
    expect(stdout).toMatch(/^keep +sha256:\w{12} +7B +tag app:1 → manifest → layer$/m)
  })

  test('removes it, and says how much', async () => {
    expect(await run('gc')).toMatchObject({ code: 0, stdout: 'removed 1 blob, 7B; 6 blobs stay\n', stderr: '' })
    expect((await run('gc', '--dry-run')).stdout).toMatch(/^nothing to remove \(6 blobs, \S+B in use\)\n$/)
    expect(JSON.parse((await run('gc', '--json')).stdout)).toMatchObject({ deleted: [], errors: [], bytesFreed: 0 })
  })

  test.each([
    [['--keep-last', '1'], 'not among the last 1 of its repository'],
    [['--max-age', '60h'], 'not used for longer than 3600 minutes'],
    [['--max-bytes', '0.9kB'], 'least recently used, and more than 900 bytes would stay'],
  ])('%j drops names', async (args, why) => {
    expect((await run('gc', '-n', ...args)).stdout).toMatch(new RegExp(`^drop name +app:0 +${why}$`, 'm'))
    expect((await run('gc', ...args)).stdout).toMatch(/^removed 1 name and 4 blobs, \S+B; 3 blobs stay\n$/)
    expect(JSON.parse((await run('images', '--json')).stdout)).toHaveLength(1)
  })

  test('a blob that is missing is reported', async () => {
    await using store = await openStore(directory.path)
    await store.delete(image.layer.digest)
    expect((await run('gc')).stderr).toBe(`warning: missing: ${image.layer.digest} (tag app:1 → manifest → layer)\n`)
  })

  test('a refusal says what to do; --force and --keep-unknown go on', async () => {
    await using store = await openStore(directory.path)
    await store.delete(image.manifest.digest)
    expect(await run('gc')).toMatchObject({ code: 1, stderr: expect.stringContaining('(ERR_COLLECTION_REFUSED)') })
    const kept = await run('gc', '--keep-unknown')
    expect(kept).toMatchObject({ code: 0, stderr: expect.stringContaining('not understood') })
    await run('rm', 'app:0', 'app:1')
    expect(await run('gc')).toMatchObject({ code: 1, stderr: expect.stringContaining('the store has no names') })
    expect((await run('gc', '--force', '--grace', '0s')).stdout).toContain('0 blobs stay')
  })

  test.each([
    ['--keep-last', 'few'],
    ['--keep-last', '1.5'],
    ['--max-age', '30'],
    ['--max-age', '30y'],
    ['--max-bytes', '-1'],
    ['--max-bytes', '1e400'],
    ['--grace', '__proto__'],
  ])('%s %s is wrong usage', async (option, value) => {
    expect(await run('gc', `${option}=${value}`)).toMatchObject({ code: 2, stderr: expect.stringContaining(option) })
  })
})

describe('df', () => {
  test('says what takes the space', async () => {
    const { code, stdout } = await run('df')
    expect(code).toBe(0)
    expect(stdout).toMatch(
      /^WHAT +BLOBS +SIZE\nnamed +6 +\S+B\ncached +0 +0B\nleased +0 +0B\nyoung +0 +0B\nreclaimable +1 +7B\n/,
    )
    expect(stdout).not.toContain('IMAGE')
  })

  test('--images for each image, with what only it has', async () => {
    expect((await run('df', '--images')).stdout).toMatch(/^IMAGE +BLOBS +SIZE +UNIQUE\napp:0 +3 +\S+ +\S+\napp:1 +3 /m)
    expect(JSON.parse((await run('df', '--json')).stdout)).toMatchObject({
      reclaimable: { blobs: 1, bytes: 7 },
      images: [{ name: 'app:0' }, { name: 'app:1' }],
    })
  })
})

test.each([
  ['3', 'count', 3],
  ['90m', 'time', 5_400_000],
  ['1.5h', 'time', 5_400_000],
  ['2w', 'time', 14 * 86_400_000],
  ['10GB', 'bytes', 1e10],
  ['2 gib', 'bytes', 2 ** 31],
  ['7', 'bytes', 7],
] as const)('%s as %s is %i', (text, kind, amount) => {
  expect(parseAmount('--x', text, kind)).toBe(amount)
})
