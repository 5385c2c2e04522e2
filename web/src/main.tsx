import { render } from 'preact'
import 'uplot/dist/uPlot.min.css'
import './style.css'
import { followAddress } from './address.ts'
import { App } from './app.tsx'
import { followServer } from './live.ts'

followAddress()
followServer()
render(<App />, document.querySelector('#app')!)
