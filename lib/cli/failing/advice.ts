import {
  BlobNotFoundError,
  BuildError,
  LayerStoreError,
  ReferenceNotFoundError,
  RegistryError,
  RootfsError,
  StoreError,
} from '../../errors/index.ts'
import { OutputError } from './output-error.ts'

/** Advice on an error, in terms of the command line; `undefined` if the message has all of it. */
export function adviceOn(error: { readonly code: string; readonly cause?: unknown }): string | undefined {
  // A step of a build carries the failure of what it did.
  if (error instanceof BuildError && LayerStoreError.is(error.cause)) {
    return isDiskFull(error.cause) ? MAKE_ROOM : adviceOn(error.cause)
  }
  if (error instanceof RegistryError) return onRegistry(error)
  // The message says what to pull or load: layers that were left in a registry, or that a delta leaves out.
  if (error instanceof BlobNotFoundError && (error.source || error.requires.length > 0)) return undefined
  if (isDiskFull(error)) return onFullDisk(error)
  // Not of a name in an archive, whose error lists the names.
  if (
    error instanceof ReferenceNotFoundError &&
    /^no image (or container )?named .* in the store$/s.test(error.message)
  ) {
    const isEither = error.message.startsWith('no image or container')
    return `"layerstore images" lists the names${isEither ? ', "layerstore containers" the ids' : ''}`
  }
  if (error instanceof OutputError) return onOutput(error)
  // The message names the ignore pattern that excludes a source, if one does.
  if (error.code === 'ERR_BUILD_SOURCE_NOT_FOUND' && /is not in the build context(?!: )/.test(String(error))) {
    return 'its paths begin at the directory that "build" names, not at the Dockerfile'
  }
  if (error.code === 'ERR_SOURCE_NOT_FOUND' && String(error).includes('for the build context')) {
    return 'give a directory, an archive, an address, or - for stdin'
  }
  if (error.code === 'ERR_SOURCE_NOT_FOUND' && /of advisories: /.test(String(error))) {
    return '--db takes a directory with the .json files of an unpacked OSV dump'
  }
  // If a file is in the place of the directory, `--overwrite` would not help.
  if (error.code === 'ERR_TARGET_NOT_EMPTY') {
    const isFile = error instanceof Error && error.message.includes('not a directory')
    return isFile ? 'choose another directory' : 'choose another directory, or add --overwrite'
  }
  return Object.hasOwn(ADVICE, error.code) ? ADVICE[error.code] : undefined
}

const ADVICE: Readonly<Record<string, string>> = {
  ERR_BLOB_CORRUPT: '"layerstore fsck --repair" fetches it again',
  ERR_BLOB_NOT_FOUND: 'pull or load the image again, or run "layerstore fsck --repair"',
  ERR_CONTAINER_NOT_FOUND: '"layerstore containers" lists the ids',
  ERR_PATH_NOT_FOUND: '"layerstore files NAME" lists what is there',
  ERR_PLAN_OUTDATED: 'make a new plan, or run this one with --if-changed adapt',
  ERR_PLATFORM_NOT_FOUND: 'choose one with --platform',
  ERR_STORE_NOT_FOUND: '"layerstore pull", "load", "import" and "append" create one',
}

const MAKE_ROOM = 'make room, e.g. with "layerstore gc", and repeat'

/** True if a disk or a quota had no room for what the library wrote. */
function isDiskFull(error: unknown): error is StoreError | RootfsError {
  if (error instanceof StoreError) return FULL.includes(error.errno ?? '')
  if (!(error instanceof RootfsError) || error.code !== 'ERR_UNPACK') return false
  return FULL.includes(String((error.cause as NodeJS.ErrnoException | undefined)?.code))
}

const FULL: readonly string[] = ['ENOSPC', 'EDQUOT']

/** A directory and a file that the user has named can be on another disk than the store. */
function onFullDisk(error: StoreError | RootfsError): string {
  if (error instanceof RootfsError) return 'make room there, or name a directory on another disk'
  return error.message.startsWith('could not write archive ') ? OUTPUT_ADVICE.ENOSPC! : MAKE_ROOM
}

function onOutput({ cause }: OutputError): string | undefined {
  const code = (cause as NodeJS.ErrnoException).code ?? ''
  return Object.hasOwn(OUTPUT_ADVICE, code) ? OUTPUT_ADVICE[code] : undefined
}

const OUTPUT_ADVICE: Readonly<Record<string, string>> = {
  EACCES: 'name a file that this user may write',
  EDQUOT: 'make room there, or name a file on another disk',
  EEXIST: 'it exists and is not overwritten, name another',
  EISDIR: 'it is a directory, name a file',
  ENOENT: 'create its directory first',
  ENOSPC: 'make room there, or name a file on another disk',
  ENOTDIR: 'a part of its path is a file, name another',
  EROFS: 'name a file that this user may write',
}

/** Codes of OpenSSL and Node for a certificate that is not accepted. */
const CERTIFICATE = /^(DEPTH_ZERO_SELF_SIGNED|SELF_SIGNED_CERT|UNABLE_TO_(GET_ISSUER|VERIFY)|ERR_TLS_CERT|CERT_)/
const NO_TLS = ['ERR_SSL_WRONG_VERSION_NUMBER', 'ERR_SSL_PACKET_LENGTH_TOO_LONG']

/** Codes of a name that was not resolved. */
const NO_HOST = ['ENOTFOUND', 'EAI_AGAIN']

function onRegistry({ code, status, url, cause }: RegistryError): string | undefined {
  const reason = String((cause as { code?: unknown } | undefined)?.code)
  if (NO_TLS.includes(reason)) return 'add --plain-http'
  if (NO_HOST.includes(reason)) return 'check the name and the network, or use --mirror or --proxy'
  if (CERTIFICATE.test(reason)) {
    return 'add --ca FILE with the certificate of its authority, or --tls-verify=false to accept any'
  }
  if (code === 'ERR_PROTOCOL' && reason.startsWith('HPE_') && url.startsWith('http:')) return 'add --tls-verify=true'
  if (code === 'ERR_RATE_LIMITED') return 'a login may raise the limit; --mirror reads from another registry'
  if (code === 'ERR_UNAUTHORIZED') {
    return status === 403
      ? 'check the name, and that the login has access'
      : 'check the name, or log in with "layerstore login"'
  }
  if (code === 'ERR_TAG_DELETION_UNSUPPORTED') return 'name it as REPOSITORY@DIGEST, or add --digests to --keep-last'
  const repository = /^https?:\/\/([^/]+)\/v2\/(.+)\/manifests\//.exec(url)
  if (code !== 'ERR_MANIFEST_NOT_FOUND' || !repository) return undefined
  const host = repository[1] === 'registry-1.docker.io' ? 'docker.io' : repository[1]
  return `"layerstore tags ${host}/${repository[2]}" lists the tags`
}
