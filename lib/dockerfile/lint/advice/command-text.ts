import type { Step } from '../../data/step.ts'

/** Text of a RUN command for patterns: one line, options and words separated by one blank. Empty for other steps. */
export function commandText(step: Step | undefined): string {
  if (step?.kind !== 'run') return ''
  const { command } = step
  const text = 'args' in command ? command.args.join(' ') : (command.script?.content ?? command.text)
  return text.replace(/\s+/g, ' ')
}
