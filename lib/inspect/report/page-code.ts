import { readFileSync } from 'node:fs'

/** Script and style of the pages. */
export interface PageCode {
  readonly script: string
  readonly style: string
}

let code: PageCode | undefined

/**
 * Returns the script and the style of the pages, from the files in `page/`. The build replaces this module by one that
 * holds their texts, so that any bundler carries them along.
 */
export function pageCode(): PageCode {
  code ??= { script: joinModules('main.js'), style: readPage('style.css') }
  return code
}

/** Joins a module and all that it imports: without the imports, since every name is used once in the page. */
function joinModules(file: string, seen = new Set<string>()): string {
  if (seen.has(file)) return ''
  seen.add(file)
  const text = readPage(file)
  const below = [...text.matchAll(/^import .* from '\.\/(.+)'$/gm)].map(([, name]) => joinModules(name!, seen))
  return `${below.join('')}${text.replaceAll(/^import .*$/gm, '').replaceAll(/^export /gm, '')}\n`
}

function readPage(file: string): string {
  return readFileSync(new URL(`./page/${file}`, import.meta.url), 'utf8')
}
