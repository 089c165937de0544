import type { Instruction } from '../document/document.ts'

/** SPEC: BuildKit takes the first comment line that begins with the name and a space. */
export function descriptionIn({ comments }: Instruction, name: string | undefined): string | undefined {
  if (name === undefined) return undefined
  const described = comments.find(comment => comment.startsWith(`${name} `))
  return described?.slice(name.length + 1).trim()
}
