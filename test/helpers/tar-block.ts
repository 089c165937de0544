/** Builds a header block with any bytes in any field, and a correct checksum unless one is given. */
export function tarBlock(
  fields: {
    name?: string | Buffer
    mode?: string | Buffer
    uid?: string | Buffer
    gid?: string | Buffer
    size?: number | string | Buffer
    mtime?: string | Buffer
    checksum?: string
    flag?: string
    linkname?: string
    magic?: string
    devmajor?: string
    devminor?: string
    prefix?: string
  } = {},
): Buffer {
  const block = Buffer.alloc(512)
  const put = (value: string | Buffer, at: number) =>
    (Buffer.isBuffer(value) ? value : Buffer.from(value, 'latin1')).copy(block, at)
  const size = fields.size ?? 0
  put(fields.name ?? 'file', 0)
  put(fields.mode ?? '0000644\0', 100)
  put(fields.uid ?? '0000000\0', 108)
  put(fields.gid ?? '0000000\0', 116)
  put(typeof size === 'number' ? `${size.toString(8).padStart(11, '0')}\0` : size, 124)
  put(fields.mtime ?? '00000000000\0', 136)
  put('        ', 148)
  put(fields.flag ?? '0', 156)
  put(fields.linkname ?? '', 157)
  put(fields.magic ?? 'ustar\x0000', 257)
  put(fields.devmajor ?? '0000000\0', 329)
  put(fields.devminor ?? '0000000\0', 337)
  put(fields.prefix ?? '', 345)
  put(
    fields.checksum ??
      `${block
        .reduce((sum, byte) => sum + byte, 0)
        .toString(8)
        .padStart(6, '0')}\0 `,
    148,
  )
  return block
}

/** Builds a member: header block, content, padding. The size is that of the content unless one is given. */
export function tarMember(fields: Parameters<typeof tarBlock>[0], content: string | Uint8Array = ''): Buffer {
  const body = typeof content === 'string' ? Buffer.from(content) : content
  return Buffer.concat([tarBlock({ size: body.byteLength, ...fields }), body, Buffer.alloc(-body.byteLength & 511)])
}

/** Builds a PAX header from records, or from a given body. */
export function tarPax(records: Record<string, string | Uint8Array> | string, flag = 'x'): Buffer {
  if (typeof records === 'string') return tarMember({ name: 'pax', flag }, records)
  const body = Object.entries(records).map(([key, value]) => {
    const rest = Buffer.concat([Buffer.from(` ${key}=`), Buffer.from(value as string), Buffer.from('\n')])
    const digits = [1, 2, 3, 4, 5, 6, 7].find(n => String(n + rest.byteLength).length === n)!
    return Buffer.concat([Buffer.from(String(digits + rest.byteLength)), rest])
  })
  return tarMember({ name: 'pax', flag }, Buffer.concat(body))
}

/** The two zero blocks at the end. */
export const tarEnd: Buffer = Buffer.alloc(1024)
