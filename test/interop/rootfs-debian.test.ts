import { execFileSync } from 'node:child_process'
import { createReadStream } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openStore } from '../../lib/disk-store/index.ts'
import { composeImage } from '../../lib/image/index.ts'
import { MediaType } from '../../lib/oci/index.ts'
import { unpackImage } from '../../lib/rootfs/index.ts'
import { listTree } from '../helpers/list-tree.ts'
import { needs } from '../helpers/needs.ts'
import { needsProgram } from '../helpers/needs-program.ts'
import { needsRoot } from '../helpers/needs-root.ts'
import { program } from '../helpers/program.ts'
import { FULL } from '../helpers/sweep.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'

const canRun =
  needs(FULL, 'fetches a Debian from the network: with full sweeps only') &&
  needsRoot() &&
  ['mmdebstrap', 'tar', 'chroot'].every(needsProgram)

/** Listing of an archive by GNU tar, sorted by name, with link targets and numeric owners. */
async function listing(args: string[]): Promise<string[]> {
  const lines = (await program('tar', ['-tv', '--full-time', '--numeric-owner', ...args])).trimEnd().split('\n')
  return lines.map(line => line.replace(/ \.\/$/, ' ./').replace(/^(\S+) +(\S+) +(\S+) /, '$1 $2 $3 ')).sort()
}

test.runIf(canRun)(
  'a Debian root filesystem that we unpack lists like its archive, and runs',
  async () => {
    using place = temporaryDirectory('debian')
    const archive = join(place.path, 'debian.tar')
    const tree = join(place.path, 'tree')
    await program('mmdebstrap', ['--variant=minbase', 'bookworm', archive])
    await using store = await openStore(join(place.path, 'store'))
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
  },
  600_000,
)

/** Reduces hard links to name, mode, owner and time: an archiver may choose any name of a file as the first. */
function hardLinksAsFiles(lines: string[]): string[] {
  return lines.map(line => line.replace(/^[-h](\S+ \S+) +\d+ (.*?)( link to .*)?$/, '-$1 $2')).sort()
}
