import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createReportPages, htmlReport } from '../../../lib/inspect/index.ts'
import { createRegistryServer, type RegistryServer } from '../../../lib/server/index.ts'
import type { Store } from '../../../lib/store/index.ts'
import { type Chromium, startChromium, type Tab } from '../../helpers/chromium.ts'
import { needsProgram } from '../../helpers/needs-program.ts'
import { reportedImages } from '../../helpers/reported-images.ts'
import { temporaryDirectory } from '../../helpers/temporary-directory.ts'

const isThere = needsProgram('chromium')

/** Pictures are kept here to be looked at, if a person asks for them. */
const PICTURES = process.env.LAYERSTORE_PICTURES

let store: Store
let browser: Chromium
let server: RegistryServer
let url: string
let directory: ReturnType<typeof temporaryDirectory>

beforeAll(async () => {
  if (!isThere) return
  directory = temporaryDirectory('page')
  store = await reportedImages()
  server = createRegistryServer(store, { pages: createReportPages(store, { hasher: 'native' }) })
  url = (await server.listen()).url
  browser = await startChromium()
})
afterAll(async () => {
  if (!isThere) return
  await browser[Symbol.asyncDispose]()
  await server.close()
  await store.close()
  directory[Symbol.dispose]()
})

/** Writes the page of images to a file, and opens it. */
async function openReport(images: readonly string[], size: { width?: number; dark?: boolean } = {}): Promise<Tab> {
  const file = join(directory.path, `${images.join('-').replaceAll(':', '-')}.html`)
  writeFileSync(file, await htmlReport(images.map(image => ({ store, image }))))
  return browser.open(`file://${file}`, size)
}

const texts = (selector: string) => `[...document.querySelectorAll(${JSON.stringify(selector)})].map(e => e.innerText)`
const heading = (tab: Tab) => tab.evaluate<string>('document.querySelector("h1").innerText')
const crumbs = (tab: Tab) => tab.evaluate<string>('document.querySelector(".crumbs").innerText.replaceAll("\\n", "")')
const focused = (tab: Tab) => tab.evaluate<string>('document.activeElement.textContent')

async function keepPicture(tab: Tab, name: string): Promise<void> {
  if (PICTURES === undefined) return
  mkdirSync(PICTURES, { recursive: true })
  writeFileSync(join(PICTURES, `${name}.png`), await tab.picture())
}

/** Serious faults that axe finds, each with its first element. */
async function accessibilityFaults(tab: Tab): Promise<unknown> {
  await tab.evaluate(readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8'))
  return tab.evaluate(`axe.run().then(({ violations }) => violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => [id, nodes[0].html.slice(0, 200), nodes[0].failureSummary]))`)
}

/** Fields that end to the right of what their section leaves free within its padding. */
const fieldsOutside = `[...document.querySelectorAll('section input, section select')].filter(field => {
  const section = field.closest('section')
  const end = section.getBoundingClientRect().right - parseFloat(getComputedStyle(section).paddingRight)
  return field.getBoundingClientRect().right > end + 0.5
}).map(({ outerHTML }) => outerHTML)`
const widthOver = 'document.documentElement.scrollWidth - document.documentElement.clientWidth'

describe.runIf(isThere)('the page of a report in a browser', () => {
  test('shows figures, layers and findings, and has no error', async () => {
    const tab = await openReport(['app:1'])
    expect(await heading(tab)).toBe('app:1')
    expect(await tab.evaluate(texts('.figure .value'))).toEqual([
      expect.stringMatching(/^\d/),
      '158 kB',
      '99.5 kB',
      '59.0 kB',
      expect.stringMatching(/ %$/),
    ])
    expect(await tab.evaluate(texts('.instruction'))).toEqual(['RUN chown -R 1000 /usr/lib', 'ADD rootfs.tar /'])
    expect(await tab.evaluate(texts('.chip'))).toContain('1 secret')
    expect(await tab.evaluate(texts('#waste tbody td.path'))).toEqual(['/usr/lib/big', '/var/lib/apt/lists/index'])
    expect(tab.errors).toEqual([])
    await tab.close()
  })

  test('the map opens a directory by click and by Enter, and goes back by Escape and by its path', async () => {
    const tab = await openReport(['app:1'])
    await tab.click('.map-buttons button')
    expect(await crumbs(tab)).toBe('/usr')
    await tab.evaluate('document.querySelector(".map-buttons button").focus()')
    expect(await focused(tab)).toBe('lib 108 kB directory')
    await tab.press('Enter')
    expect(await crumbs(tab)).toBe('/usrlib')
    expect(await focused(tab)).toBe('big 50.0 kB file')
    await tab.press('ArrowRight')
    expect(await focused(tab)).toBe('big 50.0 kB file that no container sees')
    await tab.press('Escape')
    await tab.press('Escape')
    expect(await crumbs(tab)).toBe('/')
    await tab.click('#files .listing .link')
    await tab.click('.crumbs .link')
    expect(await crumbs(tab)).toBe('/')
    await tab.close()
  })

  test('a chosen layer is alone in the map, and a filter shows what no container sees', async () => {
    const tab = await openReport(['app:1'])
    await tab.click('.stack li:last-child .layer')
    expect(await tab.evaluate(texts('#files .listing td.path'))).toEqual(['usr/', 'var/'])
    await tab.click('.stack li:last-child .layer')
    await tab.evaluate(`(() => {
      const select = document.querySelector('#files select')
      select.value = 'hidden'
      select.dispatchEvent(new Event('change'))
    })()`)
    expect(await tab.evaluate(texts('.map-status'))).toEqual(['/ · 59.0 kB, 100.0 % · 2 files'])
    await tab.close()
  })

  test('files are found by their path, and tables sort and search', async () => {
    const tab = await openReport(['app:1'])
    await tab.evaluate('document.querySelector("#files input").focus()')
    for (const letter of 'LIB/TWO') await tab.press(letter)
    expect(await tab.evaluate(texts('#files .listing td.path'))).toEqual(['/app/lib/two.js'])
    await tab.click('#files .listing .link')
    expect(await crumbs(tab)).toBe('/applib')
    const sizes = texts('#biggest .pair > :first-child tbody td.number:nth-child(2)')
    const largest = await tab.evaluate<string[]>(sizes)
    await tab.click('#biggest .pair > :first-child th:nth-child(2) button')
    const smallest = await tab.evaluate<string[]>(sizes)
    expect([largest[0], smallest[0]]).toEqual(['50.0 kB', '35 B'])
    expect(await tab.evaluate('document.querySelector("#biggest th[aria-sort]").getAttribute("aria-sort")')).toBe(
      'ascending',
    )
    await tab.evaluate('document.querySelector("#biggest input").focus()')
    for (const letter of 'part-29') await tab.press(letter)
    expect(await tab.evaluate(texts('#biggest .pair > :first-child td.path'))).toEqual(['/app/data/part-29'])
    await tab.close()
  })

  test('several images are compared, and one of them is chosen', async () => {
    const tab = await openReport(['base:1', 'app:1', 'app:2'])
    expect(await tab.evaluate(texts('#shared .table:first-of-type td a'))).toEqual(['base:1', 'app:1', 'app:2'])
    expect(await heading(tab)).toBe('base:1')
    await tab.click('#shared tr:nth-child(3) a')
    expect(await heading(tab)).toBe('app:2')
    expect(tab.errors).toEqual([])
    await tab.close()
  })

  test('hostile names are text: no script runs, no element appears, no character turns the direction', async () => {
    const tab = await openReport(['hostile:1'])
    expect(await tab.evaluate('typeof globalThis.broken')).toBe('undefined')
    expect(await tab.evaluate('document.querySelectorAll("img, iframe, main script").length')).toBe(0)
    const shown = await tab.evaluate<string>('document.body.innerText')
    expect(shown).toContain('<img src=x onerror="globalThis.broken = 2">')
    expect(shown).toContain('gnp\\u202egnitteg.exe')
    expect(shown).toContain('line\\u000abreak\\u2028\\u0085\\u001b[2J')
    expect(shown).not.toMatch(/[\u202e\u2028\u0085\u001b]/)
    expect(tab.errors).toEqual([])
    await tab.close()
  })

  test.each([
    ['app:1', 360, false],
    ['app:1', 390, false],
    ['app:1', 1440, true],
    ['hostile:1', 360, true],
  ] as const)(
    '%s at %i px has no serious fault of accessibility and no horizontal scroll',
    async (image, width, dark) => {
      const tab = await openReport([image], { width, dark })
      expect(await tab.evaluate(widthOver)).toBe(0)
      expect(await accessibilityFaults(tab)).toEqual([])
      expect(await tab.evaluate(fieldsOutside)).toEqual([])
      await keepPicture(tab, `${image.replace(':', '-')}-${width}-${dark ? 'dark' : 'light'}`)
      await tab.close()
    },
  )

  test('the button of the colours changes between the system, light and dark', async () => {
    const tab = await openReport(['base:1'], { dark: true })
    const color = 'getComputedStyle(document.body).backgroundColor'
    const dark = await tab.evaluate(color)
    await tab.click('.theme')
    const light = await tab.evaluate(color)
    expect(light).not.toBe(dark)
    await tab.click('.theme')
    expect(await tab.evaluate(color)).toBe(dark)
    await tab.close()
  })
})

describe.runIf(isThere)('the pages of a server in a browser', () => {
  test('lists the images, opens the report of one and compares two', async () => {
    const tab = await browser.open(`${url}/`, { width: 360 })
    expect(await tab.evaluate(texts('#images td.path a'))).toEqual(['app:1', 'app:2', 'base:1', 'hostile:1'])
    expect(await tab.evaluate(widthOver)).toBe(0)
    expect(await accessibilityFaults(tab)).toEqual([])
    await keepPicture(tab, 'list-360-light')
    const [address] = await tab.evaluate<string[]>(
      '[...document.querySelectorAll("#images td.path a")].map(a => a.href)',
    )
    const report = await browser.open(address!)
    expect(await heading(report)).toBe('app:1')
    expect(await report.evaluate('document.querySelector("a.brand").href')).toBe(`${url}/`)
    await tab.click('#images tr:nth-child(1) input')
    await tab.click('#images tr:nth-child(2) input')
    await tab.click('.primary')
    await expect.poll(() => tab.evaluate(texts('#shared td a'))).toEqual(['app:1', 'app:2'])
    expect([...tab.errors, ...report.errors]).toEqual([])
    await report.close()
    await tab.close()
  })

  test('says why there is no report', async () => {
    const tab = await browser.open(`${url}/report?image=${encodeURIComponent('<img src=x>')}`)
    expect(await tab.evaluate(texts('#error p'))).toEqual([
      'ERR_REFERENCE_NOT_FOUND',
      expect.stringContaining('<img src=x>'),
    ])
    await tab.close()
  })
})
