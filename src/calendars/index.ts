import { registry } from '../component.ts'
import type { Calendar } from './calendar.ts'
import { icalendar } from './icalendar.ts'
import { once } from './once.ts'
import { weekly } from './weekly.ts'

/** The calendars, by type. */
export const calendars = registry<Calendar>(icalendar, once, weekly)
