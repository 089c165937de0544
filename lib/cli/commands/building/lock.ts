import type { LockDifference } from '../../../build/index.ts'
import { buildArgsOf } from '../../building/build-options.ts'
import { pathInContext, readLockFile } from '../../building/lock-option.ts'
import { openBuildContext } from '../../building/open-build-context.ts'
import { UsageError } from '../../failing/usage-error.ts'
import { countOf } from '../../printing/count-of.ts'
import { openImage } from '../../reading/open-image.ts'
import type { Session } from '../../session/session.ts'
import { updateLock } from './update-lock.ts'

/** Options of `lock`. */
export interface LockCommandOptions {
  readonly lock?: string
  readonly file?: string
  readonly target?: string
  readonly buildArg?: readonly string[]
  readonly packages?: boolean
  readonly write?: boolean
}

/** Operands of `lock`. */
export interface LockOperands {
  readonly name: string | undefined
  readonly context: string | undefined
}

/** `lock check NAME [CONTEXT]` and `lock update`. */
export async function lock(
  session: Session,
  act: string,
  operands: LockOperands,
  options: LockCommandOptions,
): Promise<void> {
  const { name, context } = operands
  const file = options.lock ?? 'image.lock'
  if (act === 'update' && name === undefined) return updateLock(session, file, options)
  if (act !== 'check' || name === undefined)
    throw new UsageError('lock takes "check NAME [CONTEXT]" or "update", with --lock FILE')
  const locked = (await readLockFile(file, true))!
  const { compareLock, lockedImage, lockInputs } = await import('../../../build/index.ts')
  const { readImage } = await import('../../../image/index.ts')
  const { compressorOf } = await import('../../../layer/index.ts')
  const { signal, terminal } = session
  const { blobs, name: found } = await openImage(session, name)
  const images = []
  for (const { platform } of locked.images)
    images.push(lockedImage(await readImage(blobs, found, { platform, signal }), platform))
  const opened = await openBuildContext(session, { context: context ?? '.', file: options.file }, undefined)
  await using _context = opened.context
  const inputs = await lockInputs(
    {
      context: opened.context,
      dockerfile: await opened.readDockerfile(),
      buildArgs: buildArgsOf(options.buildArg, terminal.env),
      target: options.target,
      omit: pathInContext(context ?? '.', file),
    },
    { signal },
  )
  const [, type, level] = /^(gzip|zstd)-(\d+)\//.exec(locked.compressor) ?? []
  const compressor = type === undefined ? 'none' : compressorOf(type as 'gzip' | 'zstd', Number(level))
  const differences = compareLock(locked, { images, inputs, compressor })
  session.result(differences.map(lineOf), { name, lock: file, differences })
  session.note(differences.length === 0 ? `${name} is as ${file} says` : countOf(differences.length, 'difference'))
  if (differences.length > 0) session.exit = 1
}

function lineOf({ part, name, platform, locked = 'none', actual = 'none' }: LockDifference): string {
  const of = [part, name, platform && `(${platform})`].filter(Boolean).join(' ')
  if (part === 'base') return `${of}: the layers are not those of ${locked}`
  return `${of}: ${locked} -> ${actual}`
}
