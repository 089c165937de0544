/** Control characters (C0, DEL, C1), those that change the direction of text, line and paragraph separators, half characters. */
const UNPRINTABLE = /[\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}\p{Cs}]/gu

/**
 * A text in which nothing moves the cursor, begins a line or turns the direction of what follows: such characters become `\uXXXX`.
 * A JSON text stays the same document: outside of its strings there are none of them, as `JSON.stringify` writes it.
 *
 * SAFETY: names, paths and media types come from images, registries and clients. A name with U+202E shows `gpj.exe` as
 * `exe.jpg`; one with an escape sequence can erase what was printed before it.
 */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, character => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
