import { createHash } from 'node:crypto'
import type { AbortOptions } from '../../../internal/abort.ts'
import { documentOf } from '../answers/read-answer.ts'
import { childrenOf, textOf, type XmlElement } from '../answers/read-xml.ts'
import type { DeleteFault, DeleteManyOptions } from '../bucket.ts'
import type { BucketScope } from './bucket-scope.ts'
import { xmlText } from './xml-text.ts'

/** SPEC: the most objects that one request deletes. */
const MOST_KEYS = 1000

/** Deletes one object. */
export async function deleteObject(scope: BucketScope, key: string, options?: AbortOptions): Promise<void> {
  const request = { method: 'DELETE', key: scope.keyOf(key), accept: [404], signal: options?.signal }
  await scope.requester.send(request)
}

/** Deletes many objects by few requests. */
export async function deleteObjects(
  scope: BucketScope,
  keys: Iterable<string> | AsyncIterable<string>,
  options: DeleteManyOptions = {},
): Promise<DeleteFault[]> {
  const faults: DeleteFault[] = []
  let batch: string[] = []
  for await (const key of keys) {
    batch.push(key)
    if (batch.length < MOST_KEYS) continue
    faults.push(...(await deleteBatch(scope, batch, options)))
    batch = []
  }
  if (batch.length > 0) faults.push(...(await deleteBatch(scope, batch, options)))
  return faults
}

async function deleteBatch(scope: BucketScope, keys: readonly string[], { signal, onRepeat }: DeleteManyOptions) {
  const objects = keys.map(key => `<Object><Key>${xmlText(scope.keyOf(key))}</Key></Object>`).join('')
  const space = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'
  const bytes = Buffer.from(`<Delete ${space}><Quiet>true</Quiet>${objects}</Delete>`)
  const request = {
    method: 'POST',
    query: [['delete', '']] as const,
    headers: {
      'content-type': 'application/xml',
      // SPEC: this request needs a checksum; MD5 is the one that every service knows.
      'content-md5': createHash('md5').update(bytes).digest('base64'),
    },
    body: { size: bytes.byteLength, open: () => [bytes], sha256: createHash('sha256').update(bytes).digest('hex') },
    signal,
    onRepeat,
  }
  const { answer } = await scope.requester.send(request)
  try {
    const result = documentOf(answer, 'DeleteResult')
    return childrenOf(result, 'Error').flatMap(error => faultOf(scope, error))
  } catch (cause) {
    throw scope.requester.protocolError(request, cause)
  }
}

function faultOf(scope: BucketScope, error: XmlElement): DeleteFault[] {
  const code = textOf(error, 'Code') ?? 'Unknown'
  if (code === 'NoSuchKey') return []
  const whole = textOf(error, 'Key') ?? ''
  return [{ key: scope.withoutPrefix(whole) ?? whole, code, message: textOf(error, 'Message') ?? '' }]
}
