import { type ChildProcess, spawn } from 'node:child_process'
import type { Socket } from 'node:net'
import { createInterface } from 'node:readline'
import { encodeName } from '../../../../internal/name-bytes.ts'
import { findSystemProgram } from '../../../executors/process/find-system-program.ts'

/** The helper ends when it had nothing to do for so long. */
const IDLE_MS = 10_000
/** Paths in one question, so that a mount of another stack need not wait long for its turn. */
const MOST_PATHS = 4096
/** SPEC: numbers of mount, umount2 and llistxattr in the tables of Linux, by the names that Node has. */
const CALLS: Readonly<Record<string, readonly [mount: number, umount: number, list: number]>> = {
  x64: [165, 166, 195],
  arm64: [40, 39, 12],
}
/**
 * Reads lines of words, the first one a letter and the others in hex: `m DIRECTORY TARGET OPTIONS` to mount an overlay,
 * `u TARGET` to detach a mount, `x DIRECTORY PATH…` to find files with extended attributes. Answers each with a line:
 * the number of the error, or 0; then, for the last, the numbers of the paths. Attributes that overlayfs and SELinux
 * set themselves do not count. It ends with its input, so also when the process that started it is killed. Perl passes
 * a text to a system call only if it may be written to, which a constant may not: the type is put together.
 */
const SCRIPT = `
my ($mount, $umount, $list) = map { $_ + 0 } @ARGV;
my $type = 'over' . 'lay';
my $own = qr/^(?:trusted\\.overlay\\.|user\\.overlay\\.|security\\.selinux$)/;
sub answer { print $_[0] ? 0 : $! + 0 }
$| = 1;
while (defined(my $line = <STDIN>)) {
  chomp $line;
  my ($act, @words) = split / /, $line, -1;
  @words = map { pack('H*', $_) } @words;
  if ($act eq 'u') { answer(syscall($umount, $words[0], 2) == 0) }
  elsif (!chdir(shift @words)) { answer(0) }
  elsif ($act eq 'm') { answer(syscall($mount, $type, $words[0], $type, 0, $words[1]) == 0) }
  else {
    my @found = (0);
    for my $i (0 .. $#words) {
      my $size = syscall($list, $words[$i], 0, 0);
      next if $size <= 0;
      my $names = "\\0" x $size;
      $size = syscall($list, $words[$i], $names, $size);
      push @found, $i if $size < 0 || grep { !/$own/ } split /\\0/, substr($names, 0, $size);
    }
    print "@found";
  }
  print "\\n";
  chdir '/';
}
`

/**
 * Calls of the kernel that Node lacks, by one long-lived process of perl, which Debian always has. Each resolves to
 * `undefined` if there is no such process: a program does it then.
 *
 * PERF: a program must be started for each call, and a start takes as long as all that Node does for a step: it copies
 * the page tables of a large process, and the program loads its libraries.
 */
export class KernelCalls {
  readonly #perl: string | undefined
  #helper: Helper | undefined
  #isUseless = false

  constructor(perl = findSystemProgram('perl')) {
    this.#perl = perl
  }

  /** Starts the process, so that the first call does not wait for it. */
  prepare(): void {
    if (!this.#isUseless && !this.#helper?.isAlive) this.#helper = startHelper(this.#perl)
  }

  /** Mounts an overlay; paths in the options are relative to the directory. Resolves to the number of an error or 0. */
  mount(directory: string, target: string, options: string): Promise<number | undefined> {
    return this.#number('m', [directory, target, options])
  }

  /** Detaches a mount. Resolves to the number of an error or 0. */
  unmount(target: string): Promise<number | undefined> {
    return this.#number('u', [target])
  }

  /**
   * Resolves to those of the paths in a directory that have extended attributes, or whose attributes cannot be listed;
   * attributes of overlayfs and SELinux do not count, and links are not followed. `undefined` if nothing can tell.
   */
  async withXattrs(directory: string, paths: readonly string[]): Promise<readonly string[] | undefined> {
    const found: string[] = []
    for (let i = 0; i < paths.length; i += MOST_PATHS) {
      const batch = paths.slice(i, i + MOST_PATHS)
      const answer = await this.#ask('x', [directory, ...batch.map(path => encodeName(`./${path}`))])
      const [failure, ...indexes] = (answer ?? '1').split(' ')
      if (failure !== '0') return undefined
      found.push(...indexes.map(index => batch[Number(index)] as string))
    }
    return found
  }

  async #number(act: string, words: readonly string[]): Promise<number | undefined> {
    const answer = await this.#ask(act, words)
    return answer === undefined ? undefined : Number(answer)
  }

  async #ask(act: string, words: readonly (string | Uint8Array)[]): Promise<string | undefined> {
    if (this.#isUseless) return undefined
    this.prepare()
    const line = [act, ...words.map(word => Buffer.from(word as string).toString('hex'))].join(' ')
    const answer = await this.#helper?.ask(line)
    // A helper that ended without an answer would do so again.
    if (answer === undefined) this.#isUseless = true
    return answer
  }
}

function startHelper(perl: string | undefined): Helper | undefined {
  const calls = CALLS[process.arch]
  return calls && perl ? new Helper(perl, ['-e', SCRIPT, ...calls.map(String)]) : undefined
}

class Helper {
  readonly #child: ChildProcess
  readonly #waiting: ((answer: string | undefined) => void)[] = []
  #idle: NodeJS.Timeout | undefined
  isAlive = true

  constructor(program: string, args: readonly string[]) {
    // Ctrl-C at a terminal reaches a whole process group, and what is mounted then must still be unmounted.
    const child = spawn(program, args, { env: {}, cwd: '/', stdio: ['pipe', 'pipe', 'ignore'], detached: true })
    this.#child = child
    child.once('error', () => this.#onEnd())
    child.once('close', () => this.#onEnd())
    child.stdin.on('error', () => {})
    createInterface(child.stdout).on('line', line => this.#onAnswer(line))
    child.unref()
    this.#hold(false)
  }

  ask(line: string): Promise<string | undefined> {
    clearTimeout(this.#idle)
    this.#hold(true)
    this.#child.stdin?.write(`${line}\n`)
    return new Promise(resolve => this.#waiting.push(resolve))
  }

  #onAnswer(answer: string): void {
    this.#waiting.shift()?.(answer)
    if (this.#waiting.length > 0) return
    this.#hold(false)
    this.#idle = setTimeout(() => this.#end(), IDLE_MS).unref()
  }

  #end(): void {
    this.isAlive = false
    this.#child.stdin?.end()
  }

  #onEnd(): void {
    this.isAlive = false
    clearTimeout(this.#idle)
    for (const resolve of this.#waiting.splice(0)) resolve(undefined)
  }

  /** Whether the streams of the helper keep this process running. */
  #hold(isNeeded: boolean): void {
    for (const stream of [this.#child.stdin, this.#child.stdout] as unknown as (Socket | null)[]) {
      if (isNeeded) stream?.ref()
      else stream?.unref()
    }
  }
}
