import { execFileSync } from 'node:child_process'
import { createReadStream } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { composeImage } from '../../lib/image/index.ts'
import { MediaType } from '../../lib/oci/index.ts'
import { unpackImage } from '../../lib/rootfs/index.ts'
import { readPackages } from '../../lib/trust/index.ts'
import { listTree } from '../helpers/list-tree.ts'
import { needs } from '../helpers/needs.ts'
import { needsProgram } from '../helpers/needs-program.ts'
import { needsRoot } from '../helpers/needs-root.ts'
import { program } from '../helpers/program.ts'
import { FULL } from '../helpers/sweep.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'
import { everydayBench, needsEveryday } from '../journeys/everyday/bench.ts'

const canRun =
  needs(FULL, 'fetches a Debian from the network: with full sweeps only') &&
  needsRoot() &&
  needsEveryday() &&
  ['mmdebstrap', 'tar', 'chroot'].every(needsProgram)

const FIELDS = ['db:Status-Status', 'Package', 'Version', 'Architecture']

/** Listing of an archive by GNU tar, sorted by name, with link targets and numeric owners. */
async function listing(args: string[]): Promise<string[]> {
  const lines = (await program('tar', ['-tv', '--full-time', '--numeric-owner', ...args])).trimEnd().split('\n')
  return lines.map(line => line.replace(/ \.\/$/, ' ./').replace(/^(\S+) +(\S+) +(\S+) /, '$1 $2 $3 ')).sort()
}

test.runIf(canRun)(
  'a Debian root filesystem that we unpack lists like its archive, and runs; its packages are those that dpkg lists in it',
  async () => {
    using place = temporaryDirectory('debian')
    const archive = join(place.path, 'debian.tar')
    const tree = join(place.path, 'tree')
    await program('mmdebstrap', ['--variant=minbase', 'bookworm', archive])
    await using bench = await everydayBench()
    const { store } = bench
    const info = await store.put(createReadStream(archive, { highWaterMark: 1 << 20 }))
    const layer = { descriptor: { mediaType: MediaType.OciLayer, ...info }, diffId: info.digest }
    const image = await composeImage(store, { layers: [layer] })

    const report = await unpackImage(store, image, tree)
    // Only extended attributes are skipped: Node cannot set them without the optional package.
    expect(report.skipped.filter(({ what }) => what !== 'xattr')).toEqual([])
    expect(report.files).toBeGreaterThan(3000)

    const again = join(place.path, 'again.tar')
    await program('tar', ['-cf', again, '--format=gnu', '--numeric-owner', '--sort=name', '-C', tree, '.'])
    expect(hardLinksAsFiles(await listing(['-f', again]))).toEqual(hardLinksAsFiles(await listing(['-f', archive])))
    expect(listTree(tree).filter(({ sameAs }) => sameAs).length).toBe(
      (await listing(['-f', archive])).filter(line => line.startsWith('h')).length,
    )
    execFileSync('chroot', [tree, '/bin/true'])
    expect(execFileSync('chroot', [tree, '/usr/bin/dpkg', '-l'], { encoding: 'utf8' })).toContain('ii  base-files')

    await store.references.set('debian:12', image.descriptor)
    bench.write({ '.dockerignore': '*' })
    await bench.build('FROM debian:12\nRUN dpkg --purge --force-depends tzdata\n', 'debian:less')
    for (const name of ['debian:12', 'debian:less']) {
      const format = FIELDS.map(field => `\${${field}}`).join(' ')
      const { stdout } = await bench.run(name, { command: ['dpkg-query', '-W', '-f', `${format}\n`] })
      const { packages, unread } = await readPackages(store, name)
      const lines = packages.map(each => `installed ${each.name} ${each.version} ${each.architecture}`)
      expect([name, lines.sort()]).toEqual([name, stdout.trim().split('\n').sort()])
      expect(lines.some(line => line.startsWith('installed tzdata '))).toBe(name === 'debian:12')
      // Removing a package brings none, though its layer writes the database anew.
      expect(packages.every(({ type, layer }) => type === 'deb' && layer === 0)).toBe(true)
      expect(unread).toEqual([])
    }
  },
  600_000,
)

/** Reduces hard links to name, mode, owner and time: an archiver may choose any name of a file as the first. */
function hardLinksAsFiles(lines: string[]): string[] {
  return lines.map(line => line.replace(/^[-h](\S+ \S+) +\d+ (.*?)( link to .*)?$/, '-$1 $2')).sort()
}
