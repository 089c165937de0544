/** Parts of an upload id as this library gives it out. */
export interface UploadId {
  /** Id of the service. */
  readonly wire: string
  /** Name of the write, which the object will carry; unknown for an upload that was found in a list. */
  readonly write: string | undefined
}

/** Joins the name of the write and the id of the service, so that another process can complete the upload safely. */
export function joinUploadId({ wire, write }: UploadId): string {
  return write === undefined ? wire : `${write}:${wire}`
}

/** Splits an upload id. */
export function splitUploadId(id: string): UploadId {
  const [, write, wire] = /^([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}):(.*)$/s.exec(id) ?? []
  return wire === undefined ? { wire: id, write: undefined } : { wire, write }
}
