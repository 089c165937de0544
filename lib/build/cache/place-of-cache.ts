/** Place of a cache, for messages. */
export function placeOfCache(
  place: { readonly reference: string } | { readonly archive: string } | { readonly directory: string },
): string {
  if ('reference' in place) return place.reference
  return 'archive' in place ? place.archive : place.directory
}
