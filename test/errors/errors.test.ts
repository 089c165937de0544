import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { inspect } from 'node:util'
import { expect, test } from 'vitest'
import * as errors from '../../lib/errors/index.ts'
import { LayerStoreError, RegistryError } from '../../lib/errors/index.ts'
import { transpileLibrary } from '../helpers/transpile-library.ts'

const cause = new Error('the cause')
const request = { method: 'GET', url: 'https://registry.example/v2/' }

/** One error of each class. */
const samples: LayerStoreError[] = [
  new errors.HasherError('a hash worker crashed', { cause }),
  new errors.SandboxError('ERR_SANDBOX_START', 'cannot start sh', { cause }),
  new errors.ListenError('127.0.0.1:80', 'EACCES', { cause }),
  new errors.FormatError('ERR_INVALID_MANIFEST', 'bad', { at: 'layers[0]', cause }),
  new errors.LimitError('manifest bytes', { limit: 10, actual: 11, where: 'a manifest' }, { cause }),
  new errors.DigestMismatchError({ expected: 'a', actual: 'b', what: 'layer' }, { cause }),
  new errors.SizeMismatchError({ expected: 1, actual: 2, what: 'layer' }, { cause }),
  new errors.DiffIdMismatchError({ layer: 'l', expected: 'a', actual: 'b' }, { cause }),
  new errors.BlobNotFoundError('sha256:x', { parent: 'sha256:y', cause }),
  new errors.ReferenceNotFoundError('app:1', { cause }),
  new errors.BlobCorruptError({ digest: 'd', expected: 'size 1', actual: 'size 2' }, { cause }),
  new errors.StoreError('ERR_STORE_IO', 'disk full', { errno: 'ENOSPC', cause }),
  new errors.StoreError('ERR_REFERENCE_CONFLICT', 'app:1 stands for nothing', { cause }),
  new errors.RootfsError('ERR_INVALID_LINK', 'hard link to itself', { path: 'a', layer: 'sha256:x' }, { cause }),
  new errors.SourceError('ERR_SOURCE_CHANGED', 'changed while it was read', 'a', { cause }),
  new errors.BuildError(
    'ERR_BUILD_COPY_CONFLICT',
    'a file onto a directory',
    { path: 'a', at: 'Dockerfile:2:1' },
    { cause },
  ),
  new errors.DockerfileError('ERR_DOCKERFILE_SYNTAX', 'unknown instruction: FORM', { file: 'Dockerfile' }, { cause }),
  new errors.PlanOutdatedError([{ what: 'need', digest: 'sha256:1', planned: 'present', now: 'fetch' }], { cause }),
  new errors.PlatformNotFoundError({ wanted: 'linux/arm', available: ['linux/amd64'], what: 'app' }, { cause }),
  new errors.TrustError('ERR_INVALID_KEY', 'the key is malformed', {}, { cause }),
  new errors.BucketError('ERR_BUCKET_BUSY', 'slow down', request, { cause }),
  new RegistryError('ERR_REGISTRY', 'refused', { ...request, errors: [{ code: 'DENIED', message: 'no' }] }, { cause }),
]

test.each(samples.map(error => [error.name, error] as const))('%s is a proper error', (name, error) => {
  expect(error).toBeInstanceOf(Error)
  expect(error).toBeInstanceOf(LayerStoreError)
  expect(LayerStoreError.is(error)).toBe(true)
  expect(error.code).toMatch(/^ERR_[A-Z_]+$/)
  expect(error.cause).toBe(cause)
  expect(error.stack).toContain(error.message)
  expect(error.message).not.toMatch(/^[A-Z]|\.$|undefined/)
  expect(Object.keys(errors)).toContain(name)
})

test('there is a sample of every class', () => {
  const classes = Object.keys(errors).filter(name => name !== 'LayerStoreError')
  expect(new Set(samples.map(error => error.name))).toEqual(new Set(classes))
})

test('only errors of this library are recognised', () => {
  const values = [new Error('x'), { code: 'ERR_INVALID_DIGEST' }, null, undefined, 'ERR_INVALID_DIGEST', 5]
  expect(values.map(LayerStoreError.is)).toEqual(values.map(() => false))
})

test('errors of another copy of the package are recognised', async () => {
  const library = transpileLibrary()
  const copy: typeof errors = await import(pathToFileURL(join(library, 'errors/index.js')).href)
  const foreign = new copy.BlobNotFoundError('sha256:x')
  expect(foreign).not.toBeInstanceOf(LayerStoreError)
  expect(LayerStoreError.is(foreign)).toBe(true)
  expect(copy.LayerStoreError.is(samples[0])).toBe(true)
})

test('as JSON an error is its documented fields; neither the cause nor the brand is among them', () => {
  for (const error of samples) {
    const json = JSON.parse(JSON.stringify(error))
    expect(json.code).toBe(error.code)
    expect(JSON.stringify(json)).not.toContain('the cause')
    expect(Object.keys(json)).not.toContain('cause')
    expect(inspect(error)).not.toContain('layerstore.error')
    expect(Object.getOwnPropertySymbols({ ...error })).toEqual([])
  }
})

test('optional facts may be missing', () => {
  expect(new errors.FormatError('ERR_INVALID_TAR', 'bad').message).toBe('bad')
  expect(new errors.FormatError('ERR_INVALID_TAR', 'bad').at).toBeUndefined()
  expect(new errors.LimitError('depth', { limit: 1, actual: 2 }).message).toBe(
    'depth over the limit: at most 1, got 2 or more',
  )
  expect(new errors.DigestMismatchError({ expected: 'a', actual: 'b' }).message).toMatch(/^content /)
  expect(new errors.SizeMismatchError({ expected: 1, actual: 2 }).message).toMatch(/^content /)
  expect(new errors.BlobNotFoundError('sha256:x').message).toBe('no blob sha256:x in the store')
  expect(new errors.PlatformNotFoundError({ wanted: 'a/b', available: [], what: 'app' }).message).toContain('none')
  expect(new RegistryError('ERR_NETWORK', 'gone', request)).toMatchObject({
    errors: [],
    retryable: false,
    status: undefined,
    retryAfterMs: undefined,
  })
})

test('an address in an error has neither password nor query, wherever one looks', () => {
  for (const url of [
    'https://user:hunter2@registry.example/v2/a?signature=hunter2#hunter2',
    'HTTPS://user:hunter2@registry.example/v2/a#hunter2',
    'https://hunter2@registry.example/v2/a?x=\nhunter2',
  ]) {
    const error = new RegistryError('ERR_REGISTRY', 'refused', { method: 'GET', url })
    expect(error.url.toLowerCase()).toBe('https://registry.example/v2/a')
    expect(`${error.message}${error.stack}${JSON.stringify(error)}${inspect(error)}`).not.toContain('hunter2')
  }
})

test('an at sign in a path is not a password', () => {
  const url = 'https://registry.example/v2/a/manifests/x@sha256'
  expect(new RegistryError('ERR_REGISTRY', 'refused', { method: 'GET', url }).url).toBe(url)
})
