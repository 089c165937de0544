import { PlatformNotFoundError } from '../../errors/index.ts'
import { platformsOf, selectPlatform } from '../../image/index.ts'
import { invalidArgument } from '../../internal/invalid-argument.ts'
import {
  asPlatform,
  assertIndexDepth,
  type Descriptor,
  formatPlatform,
  hostPlatform,
  type ImageIndex,
  isConfigType,
  isIndexType,
  matchPlatform,
  type Platform,
  parseConfig,
  platformOfConfig,
} from '../../oci/index.ts'
import type { KnownDocuments } from './known-documents.ts'
import { makeIndex } from './make-index.ts'

/** Choice of platforms from an index. */
export interface PlatformChoice {
  /** One platform to take from an index, or several, each as `os/architecture[/variant]`. */
  readonly platform?: string | Platform | readonly (string | Platform)[] | undefined
  /** Take every platform, and the index itself with its digest. */
  readonly allPlatforms?: boolean | undefined
}

/** The chosen part of an image. */
export interface ChosenRoot {
  readonly root: Descriptor
  readonly platforms: readonly string[]
  readonly leftOut: readonly string[]
  /** Text of the root, if it is an index made of some of the manifests. */
  readonly content?: string
}

/**
 * Descends from an index to the image of one platform; or returns an index, to take all or several platforms.
 *
 * @throws {@link PlatformNotFoundError} `ERR_PLATFORM_NOT_FOUND`.
 */
export async function chooseRoot(
  documents: KnownDocuments,
  top: Descriptor,
  { wanted, all }: WantedPlatforms,
): Promise<ChosenRoot> {
  if (!isIndexType(top.mediaType)) {
    for (const platform of wanted) await checkPlatform(documents, top, platform)
    return { root: top, platforms: [], leftOut: [] }
  }
  if (all) return wholeIndex(documents, top)
  if (wanted.length > 1) return chooseSeveral(documents, top, wanted)
  const chosen = await chooseOne(documents, top, wanted[0] ?? hostPlatform())
  if (wanted[0] && chosen.platforms.length === 0) await checkPlatform(documents, chosen.root, wanted[0])
  return chosen
}

/** A parsed choice of platforms. */
export interface WantedPlatforms {
  readonly wanted: readonly Platform[]
  readonly all: boolean
}

/**
 * Parses a choice of platforms. The planner calls it before the first request.
 *
 * @throws {@link FormatError} `ERR_INVALID_PLATFORM`, `ERR_INVALID_ARGUMENT`.
 */
export function readChoice({ platform = [], allPlatforms = false }: PlatformChoice): WantedPlatforms {
  if (typeof allPlatforms !== 'boolean') throw invalidArgument('allPlatforms', 'true or false', allPlatforms)
  const given = (Array.isArray(platform) ? platform : [platform]) as readonly (string | Platform)[]
  const wanted = given.map(one => asPlatform(one))
  return { wanted, all: allPlatforms }
}

async function readIndex(documents: KnownDocuments, descriptor: Descriptor): Promise<ImageIndex | undefined> {
  const document = await documents.read(descriptor)
  return document.kind === 'index' ? document.index : undefined
}

async function wholeIndex(documents: KnownDocuments, root: Descriptor): Promise<ChosenRoot> {
  const index = await readIndex(documents, root)
  return { root, platforms: index ? platformsOf(index) : [], leftOut: [] }
}

async function chooseOne(documents: KnownDocuments, top: Descriptor, wanted: Platform): Promise<ChosenRoot> {
  let root = top
  let leftOut: string[] = []
  let platforms: string[] = []
  for (let depth = 0; isIndexType(root.mediaType); depth++) {
    assertIndexDepth(depth, root)
    const index = await readIndex(documents, root)
    if (!index) break
    root = selectPlatform(index, wanted, root.digest)
    platforms = root.platform ? [formatPlatform(root.platform)] : []
    leftOut = platformsOf(index).filter(other => !platforms.includes(other))
  }
  return { root, platforms, leftOut }
}

async function chooseSeveral(
  documents: KnownDocuments,
  top: Descriptor,
  wanted: readonly Platform[],
): Promise<ChosenRoot> {
  const index = await readIndex(documents, top)
  if (!index) return { root: top, platforms: [], leftOut: [] }
  const chosen = new Set(wanted.map(platform => selectPlatform(index, platform, top.digest)))
  const [only] = chosen
  if (chosen.size === 1 && only?.platform) return chooseOne(documents, top, only.platform)
  const taken = index.manifests.filter(one => chosen.has(one) || isAbout(one, chosen))
  const platforms = platformsOf({ ...index, manifests: taken })
  const leftOut = platformsOf(index).filter(other => !platforms.includes(other))
  if (taken.length === index.manifests.length) return { root: top, platforms, leftOut }
  return { platforms, leftOut, ...(await makeIndex(top, await documents.bytesOf(top), taken)) }
}

/** BuildKit puts attestations into the index beside the images that they describe. */
function isAbout({ annotations }: Descriptor, chosen: ReadonlySet<Descriptor>): boolean {
  const subject = annotations?.['vnd.docker.reference.digest']
  return subject !== undefined && [...chosen].some(({ digest }) => digest === subject)
}

/** An image outside an index states its platform only in its config; an artifact has no platform. */
async function checkPlatform(documents: KnownDocuments, root: Descriptor, wanted: Platform): Promise<void> {
  const document = await documents.read(root)
  if (document.kind !== 'manifest' || !isConfigType(document.manifest.config.mediaType)) return
  const platform = platformOfConfig(parseConfig(await documents.configBytes(document.manifest.config)))
  if (platform && matchPlatform(wanted, platform) > 0) return
  throw new PlatformNotFoundError({
    wanted: formatPlatform(wanted),
    available: platform ? [formatPlatform(platform)] : [],
    what: platform ? root.digest : `${root.digest}, whose config says no platform`,
  })
}
