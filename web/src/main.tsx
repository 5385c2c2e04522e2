import { effect } from '@preact/signals'
import { render } from 'preact'
import 'uplot/dist/uPlot.min.css'
import './style.css'
import { followAddress } from './address.ts'
import { App } from './app.tsx'
import { followServer } from './live.ts'
import { picture } from './state.ts'

followAddress()
followServer()
render(<App />, document.querySelector('#app')!)
effect(() => {
  const open = picture.value?.status.open ?? 0
  document.title = open > 0 ? `(${open}) Tidewatch` : 'Tidewatch'
})
