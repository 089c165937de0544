import type { Digest, HasherEngine } from '../../digest/index.ts'
import { type Image, type ReadImageOptions, readImage } from '../../image/index.ts'
import { assertOptions } from '../../internal/assert-kind.ts'
import { type Descriptor, formatPlatform, platformOfConfig } from '../../oci/index.ts'
import { type OpenUnionViewOptions, openUnionView, type ViewStore } from '../../rootfs/index.ts'
import { APK_INSTALLED, parseApk } from './ecosystems/apk.ts'
import { DPKG_STATUS, DPKG_STATUS_DIRECTORY, parseDpkg } from './ecosystems/dpkg.ts'
import { isNpmManifest, parseNpm } from './ecosystems/npm.ts'
import { isPythonMetadata, parsePython } from './ecosystems/python.ts'
import type { StatedPackage } from './ecosystems/stated-package.ts'
import { makePurl } from './make-purl.ts'
import { OS_RELEASE, parseOsRelease } from './os-release.ts'
import type { FoundPackage, OsRelease, PackageList, PackageType, UnreadPackages } from './package-list.ts'
import { readDatabase } from './read-database.ts'
import { type ReadText, readTexts } from './read-texts.ts'
import type { LayerPaths, Reading } from './reading.ts'

/** Options of {@link readPackages}. */
export interface ReadPackagesOptions extends ReadImageOptions {
  /** Engine that computes the digests of layers that must be indexed. @defaultValue `'wasm'` */
  readonly hasher?: HasherEngine | undefined
  /** Limits on layers that must be indexed. @defaultValue those of `readLayerIndex` */
  readonly limits?: OpenUnionViewOptions['limits']
}

/** Databases of rpm: Berkeley DB, ndb and sqlite. */
const RPM = /^(?:var\/lib\/rpm|usr\/lib\/sysimage\/rpm)\/(?:Packages|Packages\.db|rpmdb\.sqlite)$/

/**
 * Lists the packages of an image without running it: those of dpkg (also `status.d`), apk, npm and its kin (each
 * `package.json` below a `node_modules`), and Python (`dist-info`, `egg-info`). Each has the layer that brought its
 * version: of a database that several layers write, the layer from which on the version has been there.
 *
 * A layer that is indexed is decompressed once, and once more if it writes a database. Memory grows with the number of
 * entries and packages; a database may have 64 MiB, another file 1 MiB. Files that list packages and are larger,
 * malformed or of a kind that is not read, such as a database of rpm, are in `unread`: they are no error.
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
    layers.push({ layer, files: new Set(entries.filter(({ type }) => type === 'file').map(({ path }) => plain(path))) })
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
  const path = OS_RELEASE.find(path => view.stat(path, { follow: true })?.type === 'file')
  if (path === undefined) return undefined
  const [file] = await readTexts(view, [view.stat(path, { follow: true })!], { ...options, unread })
  return file && parseOsRelease(file.text)
}

async function readAll(reading: Reading, os: OsRelease | undefined): Promise<FoundPackage[]> {
  const { view } = reading
  const found: FoundPackage[] = []
  const add = (type: PackageType, stated: StatedPackage, path: string, layer: number) =>
    found.push({
      type,
      ...stated,
      purl: makePurl(type, stated, os),
      path,
      layer,
      diffId: view.layers[layer]!.diffId,
    })
  for (const { stated, path, layer } of await readDatabase(reading, [DPKG_STATUS], parseDpkg)) {
    add('deb', stated, path, layer)
  }
  for (const { stated, path, layer } of await readDatabase(reading, APK_INSTALLED, parseApk)) {
    add('apk', stated, path, layer)
  }
  const files = [...view.walk()].filter(({ type, path }) => (type === 'file' || type === 'hardlink') && kindOf(path))
  for (const { path } of files.filter(({ path }) => RPM.test(path))) {
    reading.unread.push({ path, reason: 'databases of rpm are not read' })
  }
  const readable = files.filter(({ path }) => !RPM.test(path))
  for (const file of await readTexts(view, readable, { ...reading.options, unread: reading.unread })) {
    const kind = kindOf(file.path) as PackageType
    for (const stated of parse(kind, file, reading.unread)) add(kind, stated, file.path, file.layer)
  }
  return found
}

function kindOf(path: string): PackageType | 'rpm' | undefined {
  if (isNpmManifest(path)) return 'npm'
  if (isPythonMetadata(path)) return 'pypi'
  if (path.startsWith(`${DPKG_STATUS_DIRECTORY}/`)) return path.endsWith('.md5sums') ? undefined : 'deb'
  return RPM.test(path) ? 'rpm' : undefined
}

/** Parses a file that is one package. */
function parse(kind: PackageType, { path, text }: ReadText, unread: UnreadPackages[]): StatedPackage[] {
  try {
    const stated = kind === 'npm' ? parseNpm(text) : kind === 'pypi' ? parsePython(text) : parseDpkg(text)
    return stated === undefined ? [] : [stated].flat()
  } catch (error) {
    unread.push({ path, reason: `not readable: ${(error as Error).message}` })
    return []
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
