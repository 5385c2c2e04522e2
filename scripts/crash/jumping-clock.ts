import { readFileSync } from 'node:fs'

/**
 * Loaded before the server (`node --import`): its wall clock is off by the milliseconds that stand in the file `$CRASH_CLOCK`, as after a bad
 * time server or a resumed virtual machine. The monotonic clock stays as it is.
 */
const file = process.env.CRASH_CLOCK
const trueNow = Date.now
let offset = 0
const read = () => {
  try {
    offset = Number(readFileSync(file!, 'utf8')) || 0
  } catch {
    offset = 0
  }
}
if (file !== undefined) {
  read()
  setInterval(read, 50).unref()
  Date.now = () => trueNow() + offset
}
