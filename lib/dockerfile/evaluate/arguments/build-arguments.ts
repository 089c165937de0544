const PROXIES = ['HTTP_PROXY', 'HTTPS_PROXY', 'FTP_PROXY', 'NO_PROXY', 'ALL_PROXY']
const BUILDER_ONLY = /^(?:BUILDKIT_\w+|SOURCE_DATE_EPOCH)$/
const AUTOMATIC = /^(?:BUILD|TARGET)(?:PLATFORM|OS|OSVERSION|ARCH|VARIANT)$|^TARGETSTAGE$/

/** Proxy arguments as variables, each in upper and lower case. They need no ARG. */
export function proxiesOf(buildArgs: ReadonlyMap<string, string>): string[] {
  const given = [...buildArgs].sort(([a], [b]) => (a < b ? -1 : 1))
  return PROXIES.flatMap(name => {
    const value = given.findLast(([key]) => key.toUpperCase() === name)?.[1]
    return value === undefined ? [] : [`${name}=${value}`, `${name.toLowerCase()}=${value}`]
  })
}

/** Names of build arguments that no ARG declares and that mean nothing by themselves. */
export function unusedArguments(buildArgs: ReadonlyMap<string, string>, declared: ReadonlySet<string>): string[] {
  return [...buildArgs.keys()].filter(
    name =>
      !declared.has(name) && !PROXIES.includes(name.toUpperCase()) && !BUILDER_ONLY.test(name) && !AUTOMATIC.test(name),
  )
}
