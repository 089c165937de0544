/** The file with the licences of a package of Debian. */
export function copyrightOf(name: string): string {
  return `usr/share/doc/${name}/copyright`
}

/**
 * Licences of a machine-readable `copyright`: the short names of its groups of files, joined with AND; `undefined` of
 * a file in free words.
 *
 * @see {@link https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/ | Debian: copyright format}
 */
export function parseCopyright(text: string): string | undefined {
  const paragraphs = text.split(/\r?\n[ \t]*(?:\r?\n)+/)
  if (!/^Format(?:-Specification)?:.*(?:copyright-format|dep-?5)/im.test(paragraphs[0]!)) return undefined
  const names = paragraphs.flatMap(paragraph => {
    if (!/^(?:Files|Format)\S*:/im.test(paragraph)) return []
    const [, name] = paragraph.match(/^License:[ \t]*(\S.*)$/im) ?? []
    return name ? [name.trimEnd()] : []
  })
  const different = [...new Set(names)].sort()
  if (different.length === 0) return undefined
  const isOne = different.length === 1
  return different.map(name => (isOne || !/\s(?:or|and)\s|,/i.test(name) ? name : `(${name})`)).join(' AND ')
}
