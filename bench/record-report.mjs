// Draws the picture of an HTML report: node bench/record-report.mjs, after npm run build, with chromium. The image is
// made up: a service with the usual faults, of which the names and sizes of files are computed, so that the picture is
// the same everywhere but for fonts.
import { execFileSync } from 'node:child_process'
import { createCipheriv, createHash } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { composeImage, createMemoryStore, writeLayer } from '../dist/index.js'
import { htmlReport } from '../dist/inspect/index.js'

const SIZE = '1440,1090'

/** Files of a directory: a few are large, most are small. */
function files(at, count, bytes, ending, more = {}) {
  const weights = Array.from({ length: count }, (_, i) => 1 / (1 + ((i * 7919) % count)) ** 0.8)
  const sum = weights.reduce((total, weight) => total + weight, 0)
  return weights.map((weight, i) => {
    const directory = count > 60 ? `${at}/${WORDS[i % WORDS.length]}` : at
    const content = contentOf(Math.max(2, Math.round((bytes * weight) / sum)), `${at} ${i}`)
    return { path: `${directory}/${WORDS[(i * 5) % WORDS.length]}-${i}${ending}`, type: 'file', content, ...more }
  })
}

/** Bytes that compress to about a third, as code does. */
function contentOf(size, name) {
  const key = createHash('sha256').update(name).digest()
  const cipher = createCipheriv('aes-256-ctr', key, Buffer.alloc(16))
  return Buffer.concat([cipher.update(Buffer.alloc(Math.ceil(size / 3))), Buffer.alloc(size - Math.ceil(size / 3))])
}

const WORDS = ['core', 'util', 'parse', 'http', 'locale', 'stream', 'crypto', 'types', 'client', 'render', 'index']

const base = [
  ...files('usr/lib/x86_64-linux-gnu', 240, 38e6, '.so'),
  ...files('usr/bin', 180, 14e6, ''),
  ...files('usr/share/zoneinfo', 300, 3e6, ''),
  ...files('usr/lib/python3/dist-packages', 500, 17e6, '.py'),
  { path: 'usr/bin/su', type: 'file', mode: 0o4755, content: Buffer.alloc(72_000) },
]
const modules = ['typescript', 'webpack', 'react-dom', 'lodash', 'aws-sdk', 'moment', 'prisma'].flatMap((name, i) =>
  files(`app/node_modules/${name}`, 90 + 40 * i, (24 - 3 * i) * 1e6, '.js'),
)
const layers = [
  [base, '/bin/sh -c #(nop) ADD file:5d673d25da3a14ce1f6cf66e4c7fd4f4b85a3759 in / '],
  [
    [...files('var/lib/apt/lists', 12, 19e6, '_Packages'), ...files('usr/lib/curl', 30, 6e6, '.so')],
    'RUN /bin/sh -c apt-get update && apt-get install -y curl # buildkit',
  ],
  [[{ path: 'var/lib/apt/.wh.lists', type: 'file' }], 'RUN /bin/sh -c rm -rf /var/lib/apt/lists # buildkit'],
  [
    [...modules, ...files('root/.npm/_cacache/content-v2', 40, 11e6, '')],
    'RUN /bin/sh -c npm ci --omit=dev # buildkit',
  ],
  [
    [...files('app/src', 220, 5e6, '.js'), { path: 'app/.env', type: 'file', content: 'API_TOKEN=abcdefghijkl\n' }],
    'COPY . /app # buildkit',
  ],
  [
    files('app/node_modules/typescript', 90, 24e6, '.js', { uid: 1000, gid: 1000 }),
    'RUN /bin/sh -c chown -R node:node /app/node_modules/typescript # buildkit',
  ],
]

const directory = mkdtempSync(join(tmpdir(), 'layerstore-report-'))
try {
  const store = createMemoryStore()
  const written = []
  for (const [entries, created_by] of layers) {
    written.push({ ...(await writeLayer(store, entries, { level: 1 })), history: { created_by } })
  }
  const created = '2026-11-30T00:00:00Z'
  const image = await composeImage(store, { layers: written, platform: 'linux/amd64', created })
  const page = join(directory, 'report.html')
  writeFileSync(page, await htmlReport([{ store, image: image.descriptor, name: 'shop/api:2.4.0' }]))
  const flags = [
    '--headless',
    '--no-sandbox',
    '--disable-gpu',
    '--hide-scrollbars',
    `--user-data-dir=${directory}/profile`,
  ]
  const picture = join(import.meta.dirname, 'plots/report.webp')
  execFileSync('chromium', [...flags, `--window-size=${SIZE}`, `--screenshot=${picture}`, `file://${page}`], {
    stdio: 'ignore',
  })
  console.log(picture)
} finally {
  rmSync(directory, { recursive: true, force: true })
}
