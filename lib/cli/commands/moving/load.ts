import { type LoadedImage, loadArchive, parseArchiveAddress } from '../../../archive/index.ts'
import { parsePlatform, parseReference } from '../../../oci/index.ts'
import { notEmpty } from '../../arguments/not-empty.ts'
import { stdinOf } from '../../arguments/stdin-of.ts'
import type { Session } from '../../session/session.ts'
import { type PolicyOption, policyOf } from '../../signing/policy-of.ts'
import type { PlatformOption } from '../reading/inspect.ts'

/** Options of `load`. */
export interface LoadOptions extends PlatformOption, PolicyOption {
  readonly input?: string
  readonly tag?: string
}

/** `load -i FILE`: loads the images of an archive file or stdin into the store, and prints their names. */
export async function load(session: Session, options: LoadOptions): Promise<void> {
  const { input = '-', tag } = options
  notEmpty(input, 'the file of --input')
  // Report an invalid name before the work starts, not after it.
  if (tag !== undefined) parseReference(tag)
  const address = parseArchiveAddress(input)
  const { signal, hasher } = session
  const platform = options.platform ? parsePlatform(options.platform) : undefined
  const source = input === '-' ? stdinOf(session) : (address?.path ?? input)
  const policy = await policyOf(session, options)
  const images = await loadArchive(await session.store(), source, {
    image: address?.image,
    format: address?.format,
    name: tag,
    platform,
    verify: policy?.verifyAt,
    hasher,
    signal,
  })
  for (const image of images) remark(session, image)
  const lines = images.flatMap(({ names, descriptor }) => (names.length > 0 ? names : [descriptor.digest]))
  session.result(lines, images)
}

function remark(session: Session, { names, labels, descriptor, platformsLeftOut }: LoadedImage): void {
  if (names.length === 0) {
    const label = labels[0] === undefined ? '' : `, called ${JSON.stringify(labels[0])} in the file,`
    session.note(`${descriptor.digest}${label} has no name: give it one with -t, or gc takes it`)
  }
  if (platformsLeftOut.length > 0) {
    session.note(`${names[0] ?? descriptor.digest}: left out ${platformsLeftOut.join(', ')}`)
  }
}
