import type { AbortOptions } from '../../internal/abort.ts'

/** Facts of one object. */
export interface ObjectFacts {
  /** Key without the prefix of the bucket. */
  readonly key: string
  /** Bytes of the whole object. */
  readonly size: number
  /**
   * Names this version of the object; only good for `ifMatch`. It is never the digest of the content: encryption,
   * multipart uploads and engines change how it is made.
   */
  readonly etag: string
  /** Last change by the clock of the service, in milliseconds since 1970. Services keep whole seconds. */
  readonly modified: number
  /** Clock of the service when it answered, in milliseconds since 1970. */
  readonly serverTime: number
}

/** One object of a listing. */
export type ListedObject = ObjectFacts

/** Result of {@link Bucket.get}. */
export interface ObjectAnswer {
  /** Facts of the whole object. */
  readonly facts: ObjectFacts
  /**
   * The bytes of the object, or of the range. After a broken connection the bucket goes on from the last byte, by a
   * request that only the same version satisfies. Leaving the loop ends the transfer. The bytes are as the service sent
   * them: verify them by their digest.
   */
  readonly body: AsyncIterable<Uint8Array>
}

/** Body whose bytes are read anew for each try. */
export interface ObjectBody {
  /** Opens the bytes from the first one. */
  open(): AsyncIterable<Uint8Array> | Iterable<Uint8Array>
  /** Number of bytes. */
  readonly size: number
  /** SHA-256 of the bytes in hex; without it the service cannot check them. */
  readonly sha256?: string | undefined
}

/** Options of {@link Bucket.put}. */
export interface PutObjectOptions extends AbortOptions {
  /** SHA-256 of the bytes in hex, if the caller knows it already. */
  readonly sha256?: string | undefined
  /** Store only if no object has the key. */
  readonly ifNoneMatch?: true | undefined
  /** Store only if the object with the key has this ETag. */
  readonly ifMatch?: string | undefined
  /** Content type. @defaultValue `application/octet-stream` */
  readonly contentType?: string | undefined
}

/** Result of a conditional write. */
export type PutResult =
  | {
      /** The object was stored. */
      readonly stored: true
      /** Its version. */
      readonly etag: string
      /** Clock of the service when it answered. */
      readonly serverTime: number
    }
  | {
      /** The condition failed. */
      readonly stored: false
      /** The object that is there now; `undefined` if there is none. */
      readonly existing: ObjectFacts | undefined
      /**
       * The answer of an earlier try was lost, and another object is there now: this one may have been stored and
       * replaced since.
       */
      readonly uncertain: boolean
    }

/** Options of {@link Bucket.deleteMany}. */
export interface DeleteManyOptions extends AbortOptions {
  /**
   * Called before a request is sent again although its answer did not arrive: the service may still work on the try
   * before, and delete an object that is stored meanwhile.
   */
  readonly onRepeat?: (() => void) | undefined
}

/** One object that {@link Bucket.deleteMany} could not delete. */
export interface DeleteFault {
  /** Key of the object. */
  readonly key: string
  /** Code of the service, such as `AccessDenied`. */
  readonly code: string
  /** Message of the service. */
  readonly message: string
}

/** Options of {@link Bucket.list}. */
export interface ListOptions extends AbortOptions {
  /** List only keys after this one, in the order of their bytes. */
  readonly after?: string | undefined
  /** Objects a request, at most 1000. @defaultValue `1000` */
  readonly pageSize?: number | undefined
}

/** One multipart upload that has begun. */
export interface ListedUpload {
  /** Key of the object that the upload makes. */
  readonly key: string
  /** Identifier of the upload. */
  readonly uploadId: string
  /** Begin by the clock of the service, in milliseconds since 1970. */
  readonly started: number
  /** Clock of the service when it answered. */
  readonly serverTime: number
}

/** One part of an upload. */
export interface UploadPart {
  /** From 1 to 10,000. */
  readonly number: number
  /** Version of the part. */
  readonly etag: string
  /** Number of bytes. */
  readonly size: number
}

/** Options of {@link Bucket.presign}. */
export interface PresignOptions {
  /** @defaultValue `GET` */
  readonly method?: 'GET' | 'HEAD' | 'PUT' | undefined
  /** Seconds until the address ends, from 1 to 604,800. A temporary key may end it sooner. */
  readonly expiresIn: number
  /** Headers that the service gives the answer. */
  readonly response?:
    | {
        /** `Content-Type` of the answer. */
        readonly contentType?: string | undefined
        /** `Content-Disposition` of the answer. */
        readonly contentDisposition?: string | undefined
      }
    | undefined
  /** Stops the call. */
  readonly signal?: AbortSignal | undefined
}

/** Conditions that the engine enforces, as a small probe found out. */
export interface BucketConditions {
  /** `put` with `ifNoneMatch` stores only if there is no object. */
  readonly ifNoneMatch: boolean
  /** `put` with `ifMatch` stores only over that version. */
  readonly ifMatch: boolean
}

/**
 * A bucket of object storage, below one prefix. Every call waits a bounded time: it repeats failed requests a few times
 * with growing pauses, then rejects.
 *
 * Calls reject with `BucketError`, or with the reason of their signal.
 */
export interface Bucket {
  /** Address for messages, such as `s3://bucket/prefix at https://host`; without a secret. */
  readonly address: string
  /** Conditions that the engine enforces. The first call asks the engine by a small probe. */
  conditions(options?: AbortOptions): Promise<BucketConditions>
  /** Facts of an object; `undefined` if there is none. */
  head(key: string, options?: AbortOptions): Promise<ObjectFacts | undefined>
  /**
   * Opens an object; `undefined` if there is none. `range` is the first byte and the number of bytes. With `ifMatch`
   * another version rejects with `ERR_BUCKET_OBJECT_CHANGED`.
   */
  get(
    key: string,
    options?: AbortOptions & {
      readonly range?: { readonly offset: number; readonly length: number } | undefined
      readonly ifMatch?: string | undefined
    },
  ): Promise<ObjectAnswer | undefined>
  /**
   * Stores an object. Without a condition it replaces what is there. If the answer to a conditional write was lost, a
   * repeated request finds the own object there and reports `stored: true`.
   */
  put(key: string, body: Uint8Array | ObjectBody, options?: PutObjectOptions): Promise<PutResult>
  /** Deletes an object; does nothing if there is none. */
  delete(key: string, options?: AbortOptions): Promise<void>
  /** Deletes objects, 1000 a request. Resolves to those that are still there. */
  deleteMany(
    keys: Iterable<string> | AsyncIterable<string>,
    options?: DeleteManyOptions,
  ): Promise<readonly DeleteFault[]>
  /** Lists the objects whose keys begin with a text, in the order of their keys. */
  list(prefix: string, options?: ListOptions): AsyncIterable<ListedObject>
  /** Lists the texts between a prefix and the next slash, each once, with the prefix and the slash. */
  listFolders(prefix: string, options?: ListOptions): AsyncIterable<string>
  /** Begins a multipart upload; resolves to its id. */
  startUpload(key: string, options?: AbortOptions & { readonly contentType?: string | undefined }): Promise<string>
  /** Stores one part; resolves to its ETag. Each part but the last has at least 5 MiB. */
  putPart(
    key: string,
    uploadId: string,
    number: number,
    bytes: Uint8Array,
    options?: AbortOptions & { readonly sha256?: string | undefined },
  ): Promise<string>
  /**
   * Makes the object of the parts. An upload that another call completed or aborted rejects with
   * `ERR_BUCKET_UPLOAD_NOT_FOUND`, unless an earlier try of this call completed it.
   */
  completeUpload(
    key: string,
    uploadId: string,
    parts: readonly { readonly number: number; readonly etag: string }[],
    options?: AbortOptions & { readonly ifNoneMatch?: true | undefined },
  ): Promise<PutResult>
  /** Ends an upload and deletes its parts; does nothing if there is none. */
  abortUpload(key: string, uploadId: string, options?: AbortOptions): Promise<void>
  /** Lists uploads that have begun. */
  listUploads(prefix: string, options?: AbortOptions): AsyncIterable<ListedUpload>
  /** Lists the parts of an upload; `ERR_BUCKET_UPLOAD_NOT_FOUND` if there is none. */
  listParts(key: string, uploadId: string, options?: AbortOptions): AsyncIterable<UploadPart>
  /** Copies an object of up to 5 GiB inside the bucket, without its bytes passing here. `false` if there is none. */
  copy(from: string, to: string, options?: AbortOptions): Promise<boolean>
  /** Makes an address that serves one object without credentials. */
  presign(key: string, options: PresignOptions): Promise<string>
  /** Closes idle connections. */
  close(): void
}
