import { setFlagsFromString } from 'node:v8'

/**
 * Keeps the part of the heap for young objects at the size that it has when the process starts. By default it grows to 64 MiB, most of them empty, in
 * a process that answers a few requests a second. To be called before anything large is loaded.
 */
export function keepHeapSmall(): void {
  setFlagsFromString('--semi-space-growth-factor=1')
}
