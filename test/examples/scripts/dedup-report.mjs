// What a store saves because it keeps equal layers once.
import { openStore, readStoreUsage } from 'layerstore'

const store = await openStore('./images', { readOnly: true })
const { images, named } = await readStoreUsage(store)
const referenced = images.reduce((sum, image) => sum + image.bytes, 0)
console.table(images.map(({ name, bytes, uniqueBytes }) => ({ name, bytes, uniqueBytes })))
console.log(`${named.bytes} bytes stored for ${referenced} referenced: ${(referenced / named.bytes).toFixed(2)} to 1`)
await store.close()
