import type { AbortOptions } from '../../internal/abort.ts'
import { abortable } from '../../internal/abort.ts'
import { beginUpload } from './acts/begin-upload.ts'
import { BucketScope } from './acts/bucket-scope.ts'
import { type CompleteOptions, completeUpload } from './acts/complete-upload.ts'
import { copyObject } from './acts/copy-object.ts'
import { deleteObject, deleteObjects } from './acts/delete-objects.ts'
import { type GetOptions, getObject } from './acts/get-object.ts'
import { headObject } from './acts/head-object.ts'
import { listFolders, listObjects } from './acts/list-objects.ts'
import { listParts, listUploads } from './acts/list-uploads.ts'
import { presignObject } from './acts/presign-object.ts'
import { probeConditions } from './acts/probe-conditions.ts'
import { putObject } from './acts/put-object.ts'
import { putPart } from './acts/put-part.ts'
import { splitUploadId } from './acts/upload-id.ts'
import type {
  Bucket,
  BucketConditions,
  DeleteManyOptions,
  ListOptions,
  ObjectBody,
  PresignOptions,
  PutObjectOptions,
} from './bucket.ts'
import type { BucketPlace } from './find-bucket-place.ts'
import type { BucketRetryOptions } from './requests/request-budget.ts'
import type { Requester } from './requests/requester.ts'
import type { HttpClient } from './transport/http-client.ts'

/** {@link Bucket} over the S3 protocol. */
export class S3Bucket implements Bucket {
  readonly address: string
  readonly #scope: BucketScope
  readonly #bucket: string
  readonly #client: HttpClient
  readonly #retry: BucketRetryOptions
  #conditions: Promise<BucketConditions> | undefined

  constructor(parts: {
    readonly requester: Requester
    readonly client: HttpClient
    readonly place: BucketPlace
    readonly retry: BucketRetryOptions
  }) {
    this.address = parts.place.address
    this.#bucket = parts.place.bucket
    this.#scope = new BucketScope(parts.requester, parts.place.prefix)
    this.#client = parts.client
    this.#retry = parts.retry
  }

  async conditions(options?: AbortOptions) {
    const probe = this.#conditions ?? probeConditions(this.#scope)
    this.#conditions = probe
    // A probe that failed tells nothing of the engine: the next call probes again.
    probe.catch(() => {
      if (this.#conditions === probe) this.#conditions = undefined
    })
    return abortable(probe, options?.signal)
  }

  async head(key: string, options?: AbortOptions) {
    return (await headObject(this.#scope, key, options))?.facts
  }

  async get(key: string, options?: GetOptions) {
    return getObject(this.#scope, key, options, this.#retry)
  }

  async put(key: string, body: Uint8Array | ObjectBody, options?: PutObjectOptions) {
    return putObject(this.#scope, key, body, options)
  }

  async delete(key: string, options?: AbortOptions) {
    await deleteObject(this.#scope, key, options)
  }

  async deleteMany(keys: Iterable<string> | AsyncIterable<string>, options?: DeleteManyOptions) {
    return deleteObjects(this.#scope, keys, options)
  }

  list(prefix: string, options?: ListOptions) {
    return listObjects(this.#scope, prefix, options)
  }

  listFolders(prefix: string, options?: ListOptions) {
    return listFolders(this.#scope, prefix, options)
  }

  async startUpload(key: string, options?: AbortOptions & { readonly contentType?: string | undefined }) {
    return beginUpload(this.#scope, key, options)
  }

  async putPart(
    key: string,
    uploadId: string,
    number: number,
    bytes: Uint8Array,
    options?: AbortOptions & { readonly sha256?: string | undefined },
  ) {
    return putPart(this.#scope, { key, uploadId, number }, bytes, options)
  }

  async completeUpload(
    key: string,
    uploadId: string,
    parts: readonly { readonly number: number; readonly etag: string }[],
    options?: CompleteOptions,
  ) {
    return completeUpload(this.#scope, { key, uploadId }, parts, options)
  }

  async abortUpload(key: string, uploadId: string, options?: AbortOptions) {
    const query = [['uploadId', splitUploadId(uploadId).wire]] as const
    const request = { method: 'DELETE', key: this.#scope.keyOf(key), query, accept: [404], signal: options?.signal }
    await this.#scope.requester.send(request)
  }

  listUploads(prefix: string, options?: AbortOptions) {
    return listUploads(this.#scope, prefix, options)
  }

  listParts(key: string, uploadId: string, options?: AbortOptions) {
    return listParts(this.#scope, { key, uploadId }, options)
  }

  async copy(from: string, to: string, options?: AbortOptions) {
    return copyObject(this.#scope, this.#bucket, { from, to }, options)
  }

  async presign(key: string, options: PresignOptions) {
    return presignObject(this.#scope, key, options)
  }

  close() {
    this.#client.close()
  }
}
