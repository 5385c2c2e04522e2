import { defineConfig } from 'vite'

/** Relative addresses, so that the page works under any path of a proxy. */
export default defineConfig({
  base: './',
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: { outDir: '../dist/web', emptyOutDir: true, target: 'es2022', modulePreload: { polyfill: false } },
  server: { proxy: { '/api': 'http://127.0.0.1:9797', '/-': 'http://127.0.0.1:9797' } },
})
