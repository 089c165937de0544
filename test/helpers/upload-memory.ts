import type { UploadMemory } from '../../lib/registry/index.ts'

/** An upload memory that lasts for the test. */
export function uploadMemory(): UploadMemory & { readonly kept: Map<string, Uint8Array> } {
  const kept = new Map<string, Uint8Array>()
  return {
    kept,
    get: async key => kept.get(key),
    set: async (key, bytes) => void kept.set(key, bytes),
    delete: async key => void kept.delete(key),
  }
}
