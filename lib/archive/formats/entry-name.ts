import { familiarName, parseReference } from '../../oci/index.ts'

/** Returns a name in the form in which a store keeps it; `undefined` if the text is no reference. */
export function entryNameOf(text: string | undefined): string | undefined {
  try {
    return text === undefined ? undefined : familiarName(parseReference(text))
  } catch {
    return undefined
  }
}
