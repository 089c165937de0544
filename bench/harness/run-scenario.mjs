import { createBench } from './create-bench.mjs'
import { environmentOf } from './measure/environment.mjs'

/** Runs a scenario; resolves to its result as written to a file: raw samples, summaries, claims, environment. */
export async function runScenario(scenario, settings) {
  const started = performance.now()
  const bench = createBench(settings)
  const environment = environmentOf(bench.scratch)
  await scenario.measure(bench)
  return {
    name: scenario.name,
    question: scenario.question,
    command: `npm run bench -- --only ${scenario.name}`,
    environment,
    smoke: bench.smoke,
    elapsedSeconds: Math.round((performance.now() - started) / 100) / 10,
    cases: bench.cases,
    // With tiny inputs a run measures mainly process start, so claims are not evaluated.
    claims: bench.smoke ? [] : claimsOf(scenario.claims ?? [], bench.cases),
  }
}

/** Evaluates the claims. A claim whose contenders were skipped has no value and is neither met nor missed. */
function claimsOf(claims, cases) {
  const figureOf = (name, label, figure = 'seconds') =>
    cases.find(one => one.name === name)?.contenders.find(one => one.label === label)?.summary?.[figure]?.median ??
    Number.NaN
  return claims.flatMap(({ text, of, atLeast, atMost }) => {
    const value = of(figureOf)
    if (!Number.isFinite(value)) return []
    return [{ text, value, atLeast, atMost, met: value >= (atLeast ?? -Infinity) && value <= (atMost ?? Infinity) }]
  })
}
