import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { cautionFor } from '../measure/environment.mjs'
import { barChart } from './bar-chart.mjs'
import { markdownOf } from './markdown-table.mjs'

const home = resolve(import.meta.dirname, '../..')

/** Keeps a result and its plot; `local` ones are left out of git and of the README. */
export function writeResult(result, { local }) {
  const name = local ? `${result.name}.local` : result.name
  for (const folder of ['results', 'plots']) mkdirSync(join(home, folder), { recursive: true })
  writeFileSync(join(home, 'results', `${name}.json`), `${JSON.stringify(result, null, 1)}\n`)
  writePlot(name, result)
}

/** Rewrites the tables and plots of all kept results in the README. */
export function writeReadme() {
  const file = join(home, 'README.md')
  let text = readFileSync(file, 'utf8')
  for (const result of keptResults()) {
    writePlot(result.name, result)
    text = replaceBetween(text, result.name, blockOf(result))
  }
  writeFileSync(file, text)
}

/** Replaces the text between the markers of a name. */
export function replaceBetween(text, name, content) {
  const [start, end] = [`<!-- results:${name} -->`, `<!-- /results:${name} -->`]
  const from = text.indexOf(start)
  const to = text.indexOf(end)
  if (from < 0 || to < from) throw new Error(`the README has no markers for ${name}`)
  return `${text.slice(0, from + start.length)}\n${content}\n${text.slice(to)}`
}

function blockOf(result) {
  const { date, commit, node, cores, cpu, fileSystem } = result.environment
  const origin = `${date.slice(0, 16).replace('T', ' ')} UTC, commit ${commit}, Node ${node}, ${cores} × ${cpu}, ${fileSystem}`
  const versions = [...new Set(result.cases.flatMap(({ contenders }) => contenders.map(({ version }) => version)))]
  const beside = versions.filter(version => version && !version.startsWith('Node ')).join('; ')
  const picture = isMeasured(result) ? `\n\n![${result.question}](plots/${result.name}.svg)` : ''
  const caution = cautionFor(result.environment)
  const notes = `${caution ? `**${caution}.** ` : ''}_${origin}${beside && `. Beside: ${beside}`}. Raw samples: [results/${result.name}.json](results/${result.name}.json)._`
  return `\n${markdownOf(result)}${picture}\n\n${notes}\n`
}

function writePlot(name, result) {
  if (isMeasured(result)) writeFileSync(join(home, 'plots', `${name}.svg`), barChart(result))
}

/** True if the result has at least one figure, not only reasons for skipping. */
function isMeasured({ cases }) {
  return cases.some(({ contenders }) => contenders.some(({ summary }) => summary))
}

function keptResults() {
  const folder = join(home, 'results')
  const files = readdirSync(folder).filter(file => file.endsWith('.json') && !file.endsWith('.local.json'))
  return files.map(file => JSON.parse(readFileSync(join(folder, file), 'utf8')))
}
