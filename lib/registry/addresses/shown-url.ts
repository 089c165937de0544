/** An address as errors may show it. SAFETY: without user, password, query and fragment, where secrets travel. */
export function shownUrl(url: URL): string {
  return url.protocol === 'http:' || url.protocol === 'https:' ? `${url.origin}${url.pathname}` : `${url.protocol}…`
}
