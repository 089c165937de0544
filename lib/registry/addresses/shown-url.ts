/** Formats a URL for errors. SAFETY: user, password, query and fragment may contain secrets, so they are omitted. */
export function shownUrl(url: URL): string {
  return url.protocol === 'http:' || url.protocol === 'https:' ? `${url.origin}${url.pathname}` : `${url.protocol}…`
}
