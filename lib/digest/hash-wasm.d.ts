// PERF: the file of one algorithm loads in 12 ms, the whole package (272 KB, every algorithm inlined) in 60 ms.
declare module 'hash-wasm/dist/sha256.umd.min.js' {
  import { createSHA256 } from 'hash-wasm'

  const exports: { createSHA256: typeof createSHA256 }
  export default exports
}
declare module 'hash-wasm/dist/sha512.umd.min.js' {
  import { createSHA512 } from 'hash-wasm'

  const exports: { createSHA512: typeof createSHA512 }
  export default exports
}
declare module 'hash-wasm/dist/blake3.umd.min.js' {
  import { createBLAKE3 } from 'hash-wasm'

  const exports: { createBLAKE3: typeof createBLAKE3 }
  export default exports
}
declare module 'hash-wasm/dist/xxhash64.umd.min.js' {
  import { createXXHash64 } from 'hash-wasm'

  const exports: { createXXHash64: typeof createXXHash64 }
  export default exports
}
declare module 'hash-wasm/dist/bcrypt.umd.min.js' {
  import { bcryptVerify } from 'hash-wasm'

  const exports: { bcryptVerify: typeof bcryptVerify }
  export default exports
}
