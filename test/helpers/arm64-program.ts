/**
 * A static program for linux/arm64 that prints a text and ends with 0: an ELF header, one segment, eight instructions.
 */
export function arm64Program(text: string): Buffer {
  const message = Buffer.from(text)
  const code = Buffer.alloc(32)
  const instructions = [
    0xd280_0020, // mov x0, 1: stdout
    0x1000_00e1, // adr x1, the text behind the code
    0xd280_0002 | (message.byteLength << 5), // mov x2, its length
    0xd280_0808, // mov x8, 64: write
    0xd400_0001, // svc 0
    0xd280_0000, // mov x0, 0
    0xd280_0ba8, // mov x8, 93: exit
    0xd400_0001, // svc 0
  ]
  for (const [i, instruction] of instructions.entries()) code.writeUInt32LE(instruction >>> 0, i * 4)
  const header = Buffer.alloc(64 + 56)
  const size = BigInt(header.byteLength + code.byteLength + message.byteLength)
  Buffer.from('7f454c460201010000000000000000000200b70001000000', 'hex').copy(header)
  header.writeBigUInt64LE(ADDRESS + BigInt(header.byteLength), 24)
  header.writeBigUInt64LE(64n, 32)
  for (const [offset, value] of [
    [52, 64],
    [54, 56],
    [56, 1],
  ] as const)
    header.writeUInt16LE(value, offset)
  header.writeUInt32LE(1, 64)
  header.writeUInt32LE(5, 68)
  header.writeBigUInt64LE(ADDRESS, 80)
  header.writeBigUInt64LE(ADDRESS, 88)
  header.writeBigUInt64LE(size, 96)
  header.writeBigUInt64LE(size, 104)
  header.writeBigUInt64LE(0x1_0000n, 112)
  return Buffer.concat([header, code, message])
}

const ADDRESS = 0x40_0000n
