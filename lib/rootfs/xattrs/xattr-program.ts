import { accessSync, constants } from 'node:fs'

/**
 * A program of this machine that can do what Node cannot: read and set extended attributes. Plain data.
 *
 * @internal
 */
export interface XattrProgram {
  /** Absolute path. */
  readonly path: string
  /** Arguments that make it read. */
  readonly get: readonly string[]
  /** Arguments that make it set. */
  readonly set: readonly string[]
}

/**
 * Both scripts have the same input and output.
 *
 * - `get`: paths, each followed by a NUL byte, to lines `INDEX NAME VALUE`, name and value in hex. Links are not
 *   followed, and what cannot be read has no lines.
 * - `set`: lines `DESCRIPTOR NAME VALUE` to lines `INDEX ERRNO` for what failed.
 */
const PYTHON_GET = `
import os, sys
for i, path in enumerate(sys.stdin.buffer.read().split(b'\\0')[:-1]):
    try: names = os.listxattr(path, follow_symlinks=False)
    except OSError: continue
    for name in names:
        try: value = os.getxattr(path, name, follow_symlinks=False)
        except OSError: continue
        print(i, os.fsencode(name).hex(), value.hex())
`
const PYTHON_SET = `
import os, sys
for i, line in enumerate(sys.stdin):
    fd, name, value = line[:-1].split(' ')
    try: os.setxattr('/proc/self/fd/' + fd, bytes.fromhex(name), bytes.fromhex(value))
    except OSError as error: print(i, error.errno)
`
/** A number becomes a null pointer; the first call asks for the size. */
const PERL_GET = `
my ($list, $get) = map { $_ + 0 } @ARGV;
$/ = "\\0";
for (my $i = 0; defined(my $path = <STDIN>); $i++) {
  chomp $path;
  my $size = syscall($list, $path, 0, 0);
  next if $size <= 0;
  my $names = "\\0" x $size;
  $size = syscall($list, $path, $names, $size);
  next if $size <= 0;
  for my $name (split /\\0/, substr($names, 0, $size)) {
    my $length = syscall($get, $path, $name, 0, 0);
    next if $length < 0;
    my $value = "\\0" x ($length + 1);
    $length = syscall($get, $path, $name, $value, $length) if $length > 0;
    next if $length < 0;
    print $i, ' ', unpack('H*', $name), ' ', unpack('H*', substr($value, 0, $length)), "\\n";
  }
}
`
const PERL_SET = `
my ($set) = map { $_ + 0 } @ARGV;
for (my $i = 0; defined(my $line = <STDIN>); $i++) {
  chomp $line;
  my ($fd, $name, $value) = split / /, $line, -1;
  my ($path, $key, $data) = ("/proc/self/fd/$fd", pack('H*', $name), pack('H*', $value));
  print "$i ", $! + 0, "\\n" if syscall($set, $path, $key, $data, length $data, 0) < 0;
}
`
/** SPEC: numbers of llistxattr, lgetxattr and setxattr in the tables of Linux, by the names that Node has. */
const CALLS: Readonly<Record<string, { readonly list: number; readonly get: number; readonly set: number }>> = {
  x64: { list: 195, get: 192, set: 188 },
  arm64: { list: 12, get: 9, set: 5 },
}

/** SAFETY: a program found through `PATH` could come from an image. Only these directories are searched. */
const DIRECTORIES = ['/usr/bin', '/bin', '/usr/local/bin']

/**
 * Finds a program that reads and sets extended attributes: perl, which every Debian has, or python3. `undefined` if
 * there is none, or on another system than Linux.
 */
export function findXattrProgram(directories = DIRECTORIES): XattrProgram | undefined {
  if (process.platform !== 'linux') return undefined
  const calls = CALLS[process.arch]
  const perl = calls && find('perl', directories)
  if (perl) {
    return {
      path: perl,
      get: ['-e', PERL_GET, String(calls.list), String(calls.get)],
      set: ['-e', PERL_SET, String(calls.set)],
    }
  }
  const python = find('python3', directories)
  // Isolated: no code of the working directory, of the user or of the environment.
  return python ? { path: python, get: ['-I', '-S', '-c', PYTHON_GET], set: ['-I', '-S', '-c', PYTHON_SET] } : undefined
}

function find(name: string, directories: readonly string[]): string | undefined {
  return directories.map(directory => `${directory}/${name}`).find(isExecutable)
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
