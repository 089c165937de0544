import { posix } from 'node:path'
import type { Digest, HasherEngine } from '../../digest/index.ts'
import { type Image, type ReadImageOptions, readImage } from '../../image/index.ts'
import { assertOptions } from '../../internal/assert-kind.ts'
import { type Descriptor, formatPlatform, platformOfConfig } from '../../oci/index.ts'
import { type OpenUnionViewOptions, openUnionView, type UnionView, type ViewStore } from '../../rootfs/index.ts'
import { collectBuffer } from './collect-buffer.ts'
import { APK_INSTALLED, parseApk } from './ecosystems/apk.ts'
import { copyrightOf, parseCopyright } from './ecosystems/debian-copyright.ts'
import { DPKG_STATUS, DPKG_STATUS_DIRECTORY, parseDpkg } from './ecosystems/dpkg.ts'
import { parseRpmDatabase, RPM_DATABASES } from './ecosystems/rpm-database.ts'
import { makePurl } from './make-purl.ts'
import { OS_RELEASE, parseOsRelease } from './os-release.ts'
import type { FoundPackage, OsRelease, PackageList } from './package-list.ts'
import { type LayeredPackage, readDatabase } from './read-database.ts'
import { readFiles } from './read-files.ts'
import { type FilePackage, kindOfFile, MOST_OF_LOCK, readPackageFile } from './read-package-file.ts'
import type { LayerPaths, Reading } from './reading.ts'

/** Options of {@link readPackages}. */
export interface ReadPackagesOptions extends ReadImageOptions {
  /** Engine that computes the digests of layers that must be indexed. @defaultValue `'wasm'` */
  readonly hasher?: HasherEngine | undefined
  /** Limits on layers that must be indexed. @defaultValue those of `readLayerIndex` */
  readonly limits?: OpenUnionViewOptions['limits']
}

/** Most bytes of `os-release` and of a file with licences. */
const MOST_OF_TEXT = 1024 * 1024
/** SAFETY: most characters of a name and of a version, which are compared with every advisory about the package. */
const MOST_OF_NAME = 4096

/**
 * Lists the packages of an image without running it:
 *
 * - of the databases of dpkg (also `status.d`, with licences from `copyright` files), apk and rpm (sqlite, ndb);
 * - npm and its kin: each `package.json` below a `node_modules`, and the `package-lock.json` of an application that has
 *   none beside it;
 * - Python (`dist-info`, `egg-info`);
 * - the modules that programs of Go are linked from, and the archives of Java, also within archives.
 *
 * Each has the layer that brought its version: of a database that several layers write, the layer from which on the
 * version has been there.
 *
 * A layer that is indexed is decompressed once, once more for its files, and once more if it writes a database. Memory
 * grows with the number of entries and packages; a database may have 128 MiB, an archive of Java 256 MiB, another file
 * 1 MiB. Files that list packages and are larger, malformed or of a kind that is not read are in `unread`: they are no
 * error.
 *
 * @example
 * ```ts
 * const { packages, unread } = await readPackages(store, 'app:1.0')
 * for (const { name, version, layer } of packages) console.log(name, version, layer)
 * ```
 *
 * @throws the errors of `readImage` and `openUnionView`.
 */
export async function readPackages(
  store: ViewStore,
  source: string | Descriptor | Image,
  options: ReadPackagesOptions = {},
): Promise<PackageList> {
  assertOptions(options)
  const { signal, hasher, limits } = options
  const isImage = typeof source === 'object' && source !== null && 'layers' in source
  const image = isImage ? source : await readImage(store, source, options)
  const layers: LayerPaths[] = []
  const onIndex: OpenUnionViewOptions['onIndex'] = ({ entries }) => {
    const layer = image.layers[layers.length]!
    const files = entries.filter(({ type }) => type === 'file' || type === 'hardlink')
    layers.push({ layer, files: new Set(files.map(({ path }) => plain(path))) })
  }
  const view = await openUnionView(store, image, { signal, hasher, limits, onIndex })
  const reading: Reading = { store, view, layers, options: { signal, hasher, limits }, unread: [] }
  const os = await readOs(reading)
  const packages = await readAll(reading, os)
  const platform = platformOfConfig(image.config)
  return {
    version: 1,
    digest: image.descriptor.digest as Digest,
    ...(platform ? { platform: formatPlatform(platform) } : {}),
    ...(image.config.created ? { created: image.config.created } : {}),
    ...(os ? { os } : {}),
    packages: packages.sort((a, b) => compare(keyOf(a), keyOf(b))),
    unread: reading.unread.sort((a, b) => compare(a.path, b.path)),
  }
}

async function readOs({ view, options, unread }: Reading): Promise<OsRelease | undefined> {
  const entries = OS_RELEASE.map(path => view.stat(path, { follow: true }))
  const entry = entries.find(entry => entry?.type === 'file')
  if (!entry) return undefined
  if (entry.size > MOST_OF_TEXT) {
    unread.push({ path: entry.path, reason: `${entry.size} bytes are more than ${MOST_OF_TEXT}` })
    return undefined
  }
  return parseOsRelease(
    (await collectBuffer(view.read(entry.path, options), MOST_OF_TEXT, entry.path)).toString('utf8'),
  )
}

async function readAll(reading: Reading, os: OsRelease | undefined): Promise<FoundPackage[]> {
  const dpkg = await readDatabase(reading, [DPKG_STATUS], text => parseDpkg(text.toString('utf8')))
  const apk = await readDatabase(reading, APK_INSTALLED, text => parseApk(text.toString('utf8')))
  const rpm = await readDatabase(reading, RPM_DATABASES, parseRpmDatabase)
  noteJournals(reading)
  const { files, licenses } = await readTree(reading, dpkg)
  const licensed = ({ stated, ...rest }: LayeredPackage): LayeredPackage => {
    const license = licenses.get(stated.name)
    return { ...rest, stated: { ...stated, ...(license === undefined ? {} : { license }) } }
  }
  const all = [
    ...dpkg.map(each => ({ ...licensed(each), type: 'deb' as const })),
    ...apk.map(each => ({ ...each, type: 'apk' as const })),
    ...rpm.map(each => ({ ...each, type: 'rpm' as const })),
    ...files.map(each => (each.type === 'deb' ? { ...licensed(each), type: each.type } : each)),
  ]
  const isFair = ({ stated: { name, version, source }, path }: LayeredPackage) => {
    if ([name, version, source?.name ?? '', source?.version ?? ''].every(text => text.length <= MOST_OF_NAME))
      return true
    const reason = `a package has a name or version of more than ${MOST_OF_NAME} characters`
    reading.unread.push({ path, reason })
    return false
  }
  return all.filter(isFair).map(({ type, stated, path, layer }) => ({
    type,
    ...stated,
    purl: makePurl(type, stated, os),
    path,
    layer,
    diffId: reading.view.layers[layer]!.diffId,
  }))
}

/** Reads the files that state packages, and the licences of those of dpkg, in one pass over the layers. */
async function readTree(reading: Reading, dpkg: readonly LayeredPackage[]) {
  const { view, options, unread } = reading
  const files: (FilePackage & LayeredPackage)[] = []
  const records = new Set(dpkg.map(({ stated }) => stated.name))
  if (records.size === 0) for (const name of recordNames(view)) records.add(name)
  const copyrights = new Map<string, string[]>()
  for (const name of records) {
    const path = view.stat(copyrightOf(name), { follow: true })?.path
    if (path === undefined) continue
    const names = copyrights.get(path)
    if (names) names.push(name)
    else copyrights.set(path, [name])
  }
  const licenses = new Map<string, string>()
  const entries = [...view.walk()].filter(entry => kindOfFile(entry, view) || copyrights.has(entry.path))
  await readFiles(view, entries, { ...options, mostOfLinked: MOST_OF_LOCK }, async (entry, content) => {
    const names = copyrights.get(entry.path)
    if (names) {
      const license = entry.size > MOST_OF_TEXT ? undefined : await licenseIn(content, entry.path)
      if (license !== undefined) for (const name of names) licenses.set(name, license)
      return
    }
    for (const each of await readPackageFile(kindOfFile(entry, view)!, entry, content, unread)) {
      files.push({ ...each, layer: entry.layer })
    }
  })
  return { files, licenses }
}

async function licenseIn(content: AsyncIterable<Uint8Array>, path: string): Promise<string | undefined> {
  return parseCopyright((await collectBuffer(content, MOST_OF_TEXT, path)).toString('utf8'))
}

/** Names of the packages of an image without dpkg: those of the records. */
function recordNames(view: UnionView): string[] {
  if (view.stat(DPKG_STATUS_DIRECTORY, { follow: true })?.type !== 'directory') return []
  return view.list(DPKG_STATUS_DIRECTORY).map(({ path }) => posix.basename(path))
}

/** Changes that sqlite has not yet written to a database are in its journal. */
function noteJournals({ view, unread }: Reading): void {
  for (const database of RPM_DATABASES) {
    const path = `${database}-wal`
    if ((view.stat(path)?.size ?? 0) > 0) unread.push({ path, reason: 'the journal of a database is not read' })
  }
}

/** Path of an entry without the spellings of the root. */
function plain(path: string): string {
  return path.replace(/^(?:\.?\/)+/, '')
}

function keyOf({ type, name, version, path }: FoundPackage): string {
  return [type, name, version, path].join('\0')
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
