import { collectBytes } from '../../../internal/collect-bytes.ts'
import type { HttpAnswer } from '../transport/wire.ts'
import { readXml, type XmlElement } from './read-xml.ts'

/** A page of a listing has 1000 keys of 1 KiB; each of its bytes may be written as six. */
const MOST_BYTES = 16 * 1024 * 1024

/** An answer whose body has been read. */
export interface ReadAnswer {
  readonly status: number
  readonly headers: HttpAnswer['headers']
  readonly text: string
}

/** Reads the whole body of an answer that is a document. */
export async function readAnswer({ status, headers, body }: HttpAnswer): Promise<ReadAnswer> {
  const bytes = await collectBytes(body, MOST_BYTES, 'answer of object storage')
  return { status, headers, text: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8') }
}

/** Reads a document of a success. Throws an `Error` if it is none, or another one than expected. */
export function documentOf({ text }: ReadAnswer, name: string): XmlElement {
  const document = readXml(text)
  if (document.name !== name) throw new Error(`a document ${document.name} instead of ${name}`)
  return document
}

/** Time of the service, from the header `date`; the own clock if there is none. */
export function serverTimeOf({ headers }: { readonly headers: HttpAnswer['headers'] }): number {
  const time = Date.parse(headers.date ?? '')
  return Number.isNaN(time) ? Date.now() : time
}
