import { createRandom } from './random.mjs'

const WORDS = 4096
const PICKS = 1 << 16
let vocabulary

/**
 * Generates bytes of a kind from a seed: `text` deflates to about a quarter, like source code; `binary` to about a
 * half, like machine code; `packed` not at all, like compressed files.
 */
export function contentOf(kind, seed, size) {
  const bytes = Buffer.allocUnsafe(size)
  const random = createRandom(`${kind}:${seed}`)
  if (kind === 'packed') fillPacked(bytes, random)
  else if (kind === 'binary') fillBinary(bytes, random)
  else fillText(bytes, random)
  return bytes
}

/** Draws a kind in the proportions of an operating system with a node_modules folder. Large files are rarely text. */
export function kindFor(random, size) {
  const share = random.unit()
  if (size > 2 ** 18) return share < 0.4 ? 'text' : share < 0.9 ? 'binary' : 'packed'
  return share < 0.87 ? 'text' : share < 0.95 ? 'binary' : 'packed'
}

function fillPacked(bytes, random) {
  const words = new Uint32Array((bytes.length + 3) >> 2)
  for (let i = 0; i < words.length; i++) words[i] = random.next()
  Buffer.from(words.buffer).copy(bytes)
}

/** Few opcodes, repeated registers, different addresses. */
function fillBinary(bytes, random) {
  for (let at = 0; at < bytes.length; at++) {
    const word = random.next()
    const opcode = word & 0xff
    if (opcode > 228 && at >= 40) at = repeat(bytes, at, word) - 1
    else {
      bytes[at] = (opcode * opcode) >> 11
      if (opcode < 100) bytes[++at] = word >>> 8
      else if (opcode < 160) bytes[++at] = (word >>> 24) & 7
    }
  }
}

function fillText(bytes, random) {
  vocabulary ??= createVocabulary()
  const { letters, starts, picks } = vocabulary
  // Each file repeats its own words beside those of the language.
  const own = Array.from({ length: 48 }, () => random.below(WORDS))
  for (let at = 0; at < bytes.length; ) {
    const bits = random.next()
    if ((bits & 0x70000) === 0 && bits & 0x180000 && at >= 40) {
      at = repeat(bytes, at, bits)
      continue
    }
    const word = (bits & 3) < 2 ? own[((bits >>> 2) % 48) & (bits >>> 9)] : picks[(bits >>> 4) & (PICKS - 1)]
    const end = Math.min(starts[word + 1], starts[word] + bytes.length - at)
    for (let from = starts[word]; from < end; from++) bytes[at++] = letters[from]
    if (at < bytes.length) bytes[at++] = PUNCTUATION[bits >>> 28]
  }
}

/** Copies 8 to 39 bytes from the 8 KiB before `at` (at least 40); returns the end of the copy. */
function repeat(bytes, at, bits) {
  const end = Math.min(at + 8 + (bits & 31), bytes.length)
  let from = Math.max(0, at - 40 - ((bits >>> 5) & 0x1fff))
  while (at < end) bytes[at++] = bytes[from++]
  return at
}

const PUNCTUATION = Buffer.from('           .\n(,;')

/** Words of one to fourteen letters; frequent words are short. */
function createVocabulary() {
  const random = createRandom('vocabulary')
  const letters = []
  const starts = new Uint32Array(WORDS + 1)
  for (let word = 0; word < WORDS; word++) {
    const length = 1 + random.below(3 + Math.min(11, Math.floor(word / 32)))
    for (let i = 0; i < length; i++) letters.push(97 + Math.floor(26 * random.unit() ** 1.6))
    starts[word + 1] = letters.length
  }
  // Zipf: the n-th word occurs in proportion to 1/n.
  const picks = Uint16Array.from({ length: PICKS }, () => Math.floor(WORDS ** random.unit()) - 1)
  return { letters: Uint8Array.from(letters), starts, picks }
}
