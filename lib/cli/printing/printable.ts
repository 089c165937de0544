/** Control characters (C0, DEL, C1), bidirectional controls, line and paragraph separators, lone surrogates. */
const UNPRINTABLE = /[\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}\p{Cs}]/gu

/**
 * Escapes characters that move the cursor, break the line or change the text direction as `\uXXXX`. A JSON text keeps
 * its meaning: `JSON.stringify` writes such characters only inside strings.
 *
 * SAFETY: names, paths and media types come from images, registries and clients. A name with U+202E shows `gpj.exe` as
 * `exe.jpg`, and an escape sequence can erase earlier output. Escaped, both are printed as plain text.
 */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, character => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
