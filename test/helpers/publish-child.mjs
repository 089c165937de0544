// Runs the example of the guide about sharing a store, in its own process.
import { publish } from '../examples/guides/share-a-store.ts'

const [directory, text] = process.argv.slice(2)
console.log(await publish(directory, 'app:1', { 'file.txt': text }))
