/** A text of 5,304 bytes. */
export const zstdText: string = Array.from(
  { length: 120 },
  (_, i) => `line ${i} of a text that compresses ${i % 3 ? 'well' : 'badly'} ${i * i}\n`,
).join('')

/** The text as one frame with compressed blocks, content size and checksum, written by zstd 1.5.4 -19. */
export const zstdTextFrame: Buffer = Buffer.from(
  'KLUv/WS4E/0QAFarWBmgKcsBOdPc/+nP3W+hCg4pZZJJJl73pooHYwBKAE0AfDG2WtBUNQ21OtPPX+mlH3GrEjW5pc1uXvkoukEs' +
    '6vDSU1rhy6wHDWbJkttIKp9qHpfKXeHSkJBwWMCDGRokCEAAYFA4KCgcFCQwgCCAYQGBwIJhgcFhwYBgGIDAMMPhQIGEFXGbenb4' +
    '7bGTXOIHSbkx8mBcpAuRs2qpUYg3Fe6lbDLhXPai5Fo7PtlbuoofZZcp7A9r0untMyussE1Rj4lX+ZBW4kJH0Rjhjo2u8inKN7VI' +
    'JdZGWrFVZA9RXWboFXOSdoQuG1MRBblT4uWkzR/RfY1pp6nWzGc+0ovMx55qSIyJ0qEnnK02/Ljunl7k+SX8S2v5a/brAQc8XaRb' +
    'QWTRg0NeHCelDSFfVZqsT4O0pSXZKElu7EgSsUb/JI1lc8ZH+VE6UkYax9oXo8eOHceNI0dV5Z2q5po6Wy/pSupBAYDuqBFQcNJp' +
    '/zOwFSUdESR8ARH+V4RJH+ZRQ6ePPph8/MHk4wemH8U7dsSb7GN4gMR/t6uxqT7SYEkFLLPX6bwxF8yc7yIDSvi7t1CwWMe3yIAV' +
    '/I4ubxXR4fxHrQcULtL53NJvogEq+Tmt+fsFhYV6Prfoe4sS8WPvWI4U2DTst8UJ47kwxFKLBjoFxUemSuAXMuqI00i+toR/5Rr5' +
    'M+Df7gLWAOimNedLd0MAoIAHhxtYiWLQCgNaFQG9a4I=',
  'base64',
)

/** Builds a frame: a window descriptor, no content size, then these blocks; `size` overrides the announced one. */
export function zstdFrame(
  blocks: readonly { raw?: Uint8Array; repeat?: number; size?: number; type?: number }[],
  options: { window?: number; descriptor?: number; header?: readonly number[]; end?: readonly number[] } = {},
): Buffer {
  const pieces = blocks.map((block, i) => {
    const content = block.raw ?? Uint8Array.of(block.repeat ?? 0)
    const type = block.type ?? (block.raw ? 0 : 1)
    const header = ((block.size ?? content.byteLength) << 3) | (type << 1) | (i === blocks.length - 1 ? 1 : 0)
    return Buffer.concat([Uint8Array.of(header & 255, (header >> 8) & 255, (header >> 16) & 255), content])
  })
  const header = options.header ?? [options.descriptor ?? 0, options.window ?? 0x38]
  return Buffer.concat([
    Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, ...header),
    ...pieces,
    Uint8Array.from(options.end ?? []),
  ])
}

/** A skippable frame. */
export function zstdSkippable(content: Uint8Array, nibble = 0): Buffer {
  const header = Buffer.from([0x50 + nibble, 0x2a, 0x4d, 0x18, 0, 0, 0, 0])
  header.writeUInt32LE(content.byteLength, 4)
  return Buffer.concat([header, content])
}
