import { existsSync, readFileSync } from 'node:fs'

/** Version of the package; package.json is two folders up in the sources and three in the build. */
const manifest = ['../../package.json', '../../../package.json'].map(path => new URL(path, import.meta.url)).find(existsSync)
export const VERSION: string = manifest ? JSON.parse(readFileSync(manifest, 'utf8')).version : 'unknown'
