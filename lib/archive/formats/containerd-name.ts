/** The annotation in which containerd, docker and BuildKit keep the whole name of an image. */
export const ContainerdName = 'io.containerd.image.name'
