import { posix } from 'node:path'
import { parseParagraphs } from './parse-fields.ts'
import type { StatedPackage } from './stated-package.ts'
import { listZip, readZip, type ZipMember } from './zip-members.ts'

const ARCHIVE = /\.(?:jar|war|ear)$/
const PROPERTIES = /^META-INF\/maven\/[^/]+\/[^/]+\/pom\.properties$/
const MANIFEST = 'META-INF/MANIFEST.MF'

/** Most bytes of the file of a Java archive. */
export const MOST_OF_ARCHIVE = 256 * 1024 * 1024
const MOST_OF_FILE = 1024 * 1024
const MOST_NESTED = 3

/** A package of a Java archive, and the archive, `outer.war!/WEB-INF/lib/inner.jar` for one within another. */
export interface JavaPackage {
  readonly path: string
  readonly stated: StatedPackage
}

/**
 * Limit on all that is read of one archive and of those in it. SAFETY: members may overlap, so that a small archive
 * states many large ones. So each is charged before it is read, even if it turns out to be damaged.
 */
interface Budget {
  bytes: number
}

/** True for the name of a Java archive. */
export function isJavaArchive(path: string): boolean {
  return ARCHIVE.test(path)
}

/**
 * Reads the packages of a Java archive and of the archives in it, three deep and at most 256 MiB together. A package
 * has the names that Maven left (`pom.properties`), else those of the manifest, else those of the file's name.
 *
 * @param unread - Gets the archives that cannot be read.
 * @see {@link https://docs.oracle.com/en/java/javase/21/docs/specs/jar/jar.html | JAR file specification}
 */
export async function readJava(
  path: string,
  bytes: Buffer,
  unread: { path: string; reason: string }[],
  depth = 0,
  budget: Budget = { bytes: MOST_OF_ARCHIVE },
): Promise<JavaPackage[]> {
  const packages: JavaPackage[] = []
  try {
    const members = listZip(bytes)
    for (const stated of await statedIn(path, bytes, members, budget)) packages.push({ path, stated })
    for (const member of members.filter(({ name }) => isJavaArchive(name))) {
      const inner = `${path}!/${member.name}`
      if (budget.bytes <= 0) throw new Error(`more than ${MOST_OF_ARCHIVE} bytes in all of its archives`)
      const content = depth < MOST_NESTED ? await readNested(inner, bytes, member, budget, unread) : undefined
      budget.bytes -= inner.length
      if (content) for (const each of await readJava(inner, content, unread, depth + 1, budget)) packages.push(each)
      else if (depth === MOST_NESTED) unread.push({ path: inner, reason: `more than ${MOST_NESTED} archives deep` })
    }
  } catch (error) {
    unread.push({ path, reason: `not readable: ${(error as Error).message}` })
  }
  return packages
}

async function readNested(
  path: string,
  bytes: Buffer,
  member: ZipMember,
  budget: Budget,
  unread: { path: string; reason: string }[],
): Promise<Buffer | undefined> {
  try {
    return await readCharged(bytes, member, budget.bytes, budget)
  } catch (error) {
    unread.push({ path, reason: `not readable: ${(error as Error).message}` })
    return undefined
  }
}

function readCharged(bytes: Buffer, member: ZipMember, most: number, budget: Budget): Promise<Buffer> {
  const allowed = Math.min(most, budget.bytes)
  const cost = Math.max(member.size, Math.min(member.compressedSize, bytes.length))
  if (member.size <= allowed) budget.bytes -= cost
  return readZip(bytes, member, allowed)
}

async function statedIn(
  path: string,
  bytes: Buffer,
  members: readonly ZipMember[],
  budget: Budget,
): Promise<StatedPackage[]> {
  const stated: StatedPackage[] = []
  for (const member of members.filter(({ name }) => PROPERTIES.test(name))) {
    const fields = properties((await readCharged(bytes, member, MOST_OF_FILE, budget)).toString('utf8'))
    const [group, artifact, version] = [fields.get('groupId'), fields.get('artifactId'), fields.get('version')]
    if (group && artifact && version) stated.push({ name: `${group}:${artifact}`, version })
  }
  if (stated.length > 0) return stated
  const manifest = members.find(({ name }) => name === MANIFEST)
  const text = manifest ? (await readCharged(bytes, manifest, MOST_OF_FILE, budget)).toString('utf8') : ''
  return ofManifest(path, text)
}

/** Names of the manifest's main section, else of the file: `name-1.2.3.jar`. */
function ofManifest(path: string, text: string): StatedPackage[] {
  // SPEC: a line of 72 bytes is continued on the next one after a space.
  const [fields] = parseParagraphs(text.replace(/\r?\n /g, ''))
  const file = posix.basename(path).replace(ARCHIVE, '')
  const [fileName, fileVersion] = cutVersion(file)
  const bundle = fields?.get('Bundle-SymbolicName')?.split(';')[0]
  const version = fileVersion ?? fields?.get('Implementation-Version') ?? fields?.get('Bundle-Version')
  const group = fields?.get('Implementation-Vendor-Id') ?? groupOf(bundle)
  const license = fields?.get('Bundle-License')
  if (!version) return []
  return [{ name: group ? `${group}:${fileName}` : fileName, version, ...(license ? { license } : {}) }]
}

/** Name and version of `name-1.2.3`. The version is the longest end of letters, digits, `_`, `.`, `+` and `-`. */
function cutVersion(file: string): [name: string, version?: string] {
  const end = file.split(/[^\w.+-]/).at(-1)!
  const from = Math.max(1, file.length - end.length)
  const at = file.slice(from).search(/-\d/)
  return at < 0 ? [file] : [file.slice(0, from + at), file.slice(from + at + 1)]
}

/** Group in the name of a bundle: `org.example` of `org.example.part`. */
function groupOf(bundle: string | undefined): string | undefined {
  const at = bundle?.lastIndexOf('.') ?? -1
  return at > 0 ? bundle!.slice(0, at) : undefined
}

/** Lines `name=value`. SAFETY: a pattern with spaces at both ends would take quadratic time. */
function properties(text: string): Map<string, string> {
  const fields = new Map<string, string>()
  for (const line of text.split(/\r?\n/)) {
    const at = line.search(/[=:]/)
    if (at > 0) fields.set(line.slice(0, at).trim(), line.slice(at + 1).trim())
  }
  return fields
}
