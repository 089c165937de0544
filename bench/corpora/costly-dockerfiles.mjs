// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are variables of Dockerfiles

/** Dockerfiles that cost much for their length, by what they have much of. */
export const COSTLY_DOCKERFILES = {
  'a value that doubles': `FROM scratch\nENV A=${'x'.repeat(100)}\n${'ENV A=$A$A\n'.repeat(60)}`,
  'nested substitutions': `FROM scratch\nENV A=${'${B:-'.repeat(5000)}${'}'.repeat(5000)}\n`,
  'a pattern of stars': `FROM scratch\nARG A=${'a'.repeat(20_000)}\nENV B=\${A%%${'*a'.repeat(5000)}*b}\n`,
  'replacements of every character': `FROM scratch\nARG A=${'a'.repeat(20_000)}\nENV B=\${A//?/bb}\n`,
  'here-documents in one line': `FROM scratch\nRUN ${'<<A '.repeat(3000)}\n${'A\n'.repeat(3000)}`,
  'nested triggers': `FROM scratch\n${'ONBUILD '.repeat(5000)}RUN x\n`,
  'nested arrays': `FROM scratch\nCMD ${'['.repeat(20_000)}\n`,
  'many stages that name each other': stagesInARow(1000),
  'a range of all ports': 'FROM scratch\nEXPOSE 0-65535\n',
  'many flags': `FROM scratch\nCOPY ${'--exclude=a '.repeat(5000)}a b\n`,
  'escapes and blanks': `FROM scratch\nENV A=${'\\ '.repeat(15_000)}b\n`,
  'commands of many installs': `FROM scratch\nCOPY . .\nRUN ${'apt '.repeat(15_000)}\nRUN ${'pip install '.repeat(5000)}\n`,
  'commands of many removals': `FROM scratch\nRUN apt install x ${'rm -r '.repeat(10_000)}\nRUN ${'mvn '.repeat(15_000)}\n`,
  quotes: `FROM scratch\nENV A=${`"'"`.repeat(10_000)}\n`,
}

function stagesInARow(count) {
  return Array.from({ length: count }, (_, i) => `FROM ${i === 0 ? 'scratch' : `s${i - 1}`} AS s${i}\n`).join('')
}
