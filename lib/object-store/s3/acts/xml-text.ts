/** Escapes a text for a document. */
export function xmlText(text: string): string {
  return text.replace(/[&<>"']/g, one => `&#${one.charCodeAt(0)};`)
}
