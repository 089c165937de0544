// Holds a cache mount until it is killed: `cache-mount-child.mjs DIRECTORY SHARING`.
import { mkdir } from 'node:fs/promises'
import { openCacheMount } from '../../lib/sandbox/index.ts'

const [directory, sharing] = process.argv.slice(2)
const { path } = await openCacheMount(directory, { id: 'x', sharing, create: place => mkdir(place) })
console.log(path)
setInterval(() => {}, 1000)
