import { familiarName, parseReference } from '../../oci/index.ts'

/** A name as a store keeps it; `undefined` for what is no reference. */
export function entryNameOf(text: string | undefined): string | undefined {
  try {
    return text === undefined ? undefined : familiarName(parseReference(text))
  } catch {
    return undefined
  }
}
