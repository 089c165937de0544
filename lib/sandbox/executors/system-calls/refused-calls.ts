/** Processors whose numbers of system calls are known; a process may use those of 32 bits too. */
export type CallNumbers = readonly [x64: number, x86: number, arm64: number, arm: number]

/** A system call that a process may not make. */
export interface RefusedCall {
  readonly name: string
  /** Capabilities of which each allows it. */
  readonly unless: readonly string[]
  /** Its numbers; -1 on processors that lack it. */
  readonly numbers: CallNumbers
}

/**
 * System calls that Docker's default profile refuses, and that change or read what belongs to the machine: mounts,
 * namespaces, keys of the kernel, modules, clocks, memory of other processors, io_uring. The numbers are those of the
 * tables of Linux. From 403 on they are the same everywhere.
 *
 * SPEC: https://docs.docker.com/engine/security/seccomp/.
 */
export function refusedCalls(capabilities: readonly string[]): readonly RefusedCall[] {
  return CALLS.filter(({ unless }) => !unless.some(name => capabilities.includes(name)))
}

const CALLS: readonly RefusedCall[] = [
  ...callsUnless([], {
    add_key: [248, 286, 217, 309],
    keyctl: [250, 288, 219, 311],
    request_key: [249, 287, 218, 310],
    io_uring_setup: [425, 425, 425, 425],
    io_uring_enter: [426, 426, 426, 426],
    io_uring_register: [427, 427, 427, 427],
    kexec_load: [246, 283, 104, 347],
    kexec_file_load: [320, -1, 294, 401],
    migrate_pages: [256, 294, 238, 400],
    move_pages: [279, 317, 239, 344],
    nfsservctl: [180, 169, 42, 169],
    pivot_root: [155, 217, 41, 218],
    swapon: [167, 87, 224, 87],
    swapoff: [168, 115, 225, 115],
    sysfs: [139, 135, -1, 135],
    _sysctl: [156, 149, -1, 149],
    uselib: [134, 86, -1, 86],
    userfaultfd: [323, 374, 282, 388],
    ustat: [136, 62, -1, 62],
    vm86: [-1, 166, -1, -1],
    vm86old: [-1, 113, -1, -1],
    create_module: [174, 127, -1, -1],
    get_kernel_syms: [177, 130, -1, -1],
    query_module: [178, 167, -1, -1],
  }),
  ...callsUnless(['CAP_SYS_ADMIN'], {
    fanotify_init: [300, 338, 262, 367],
    fsopen: [430, 430, 430, 430],
    fsconfig: [431, 431, 431, 431],
    fsmount: [432, 432, 432, 432],
    fspick: [433, 433, 433, 433],
    lookup_dcookie: [212, 253, 18, 249],
    mount: [165, 21, 40, 21],
    mount_setattr: [442, 442, 442, 442],
    move_mount: [429, 429, 429, 429],
    open_tree: [428, 428, 428, 428],
    quotactl: [179, 131, 60, 131],
    quotactl_fd: [443, 443, 443, 443],
    sethostname: [170, 74, 161, 74],
    setdomainname: [171, 121, 162, 121],
    setns: [308, 346, 268, 375],
    umount: [-1, 22, -1, -1],
    umount2: [166, 52, 39, 52],
  }),
  ...callsUnless(['CAP_SYS_ADMIN', 'CAP_BPF'], { bpf: [321, 357, 280, 386] }),
  ...callsUnless(['CAP_SYS_ADMIN', 'CAP_PERFMON'], { perf_event_open: [298, 336, 241, 364] }),
  ...callsUnless(['CAP_SYS_ADMIN', 'CAP_SYSLOG'], { syslog: [103, 103, 116, 103] }),
  ...callsUnless(['CAP_DAC_READ_SEARCH'], { open_by_handle_at: [304, 342, 265, 371] }),
  ...callsUnless(['CAP_SYS_BOOT'], { reboot: [169, 88, 142, 88] }),
  ...callsUnless(['CAP_SYS_MODULE'], {
    init_module: [175, 128, 105, 128],
    finit_module: [313, 350, 273, 379],
    delete_module: [176, 129, 106, 129],
  }),
  ...callsUnless(['CAP_SYS_PACCT'], { acct: [163, 51, 89, 51] }),
  ...callsUnless(['CAP_SYS_PTRACE'], {
    kcmp: [312, 349, 272, 378],
    pidfd_getfd: [438, 438, 438, 438],
    process_madvise: [440, 440, 440, 440],
  }),
  ...callsUnless(['CAP_SYS_RAWIO'], { ioperm: [173, 101, -1, -1], iopl: [172, 110, -1, -1] }),
  ...callsUnless(['CAP_SYS_TIME'], {
    clock_settime: [227, 264, 112, 262],
    clock_settime64: [-1, 404, -1, 404],
    settimeofday: [164, 79, 170, 79],
    stime: [-1, 25, -1, -1],
  }),
  ...callsUnless(['CAP_SYS_TTY_CONFIG'], { vhangup: [153, 111, 58, 111] }),
  ...callsUnless(['CAP_SYS_NICE'], {
    get_mempolicy: [239, 275, 236, 320],
    mbind: [237, 274, 235, 319],
    set_mempolicy: [238, 276, 237, 321],
    set_mempolicy_home_node: [450, 450, 450, 450],
  }),
]

function callsUnless(unless: readonly string[], calls: Readonly<Record<string, CallNumbers>>): RefusedCall[] {
  return Object.entries(calls).map(([name, numbers]) => ({ name, unless, numbers }))
}

/** Calls that are refused for some arguments only, and `clone3`, whose arguments no filter can read. */
export const ARGUED_CALLS: Readonly<Record<'clone' | 'clone3' | 'unshare' | 'socket', CallNumbers>> = {
  clone: [56, 120, 220, 120],
  clone3: [435, 435, 435, 435],
  unshare: [272, 310, 97, 337],
  socket: [41, 359, 198, 281],
}

/** Flags of `clone` and `unshare` that make namespaces; the last one is of `unshare` only. */
export const NAMESPACE_FLAGS = [
  0x0002_0000, 0x0200_0000, 0x0400_0000, 0x0800_0000, 0x1000_0000, 0x2000_0000, 0x4000_0000, 0x80,
] as const

/** A family of sockets that reaches the host of a virtual machine. */
export const AF_VSOCK = 40
export const EPERM = 1
export const ENOSYS = 38
