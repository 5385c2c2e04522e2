import type { Calendar } from '../calendars/calendar.ts'
import type { Registry } from '../component.ts'
import type { Detector } from '../detectors/detector.ts'
import type { Notifier, NotifierNeeds } from '../notifiers/notifier.ts'
import type { Refiner } from '../refiners/refiner.ts'
import type { Rule } from '../rules/rule.ts'
import type { Source, SourceNeeds } from '../sources/source.ts'
import type { Store } from '../stores/store.ts'
import type { Transform } from '../transforms/transform.ts'

/** The tables of members that a configuration may name. */
export interface Families {
  readonly sources: Registry<Source, SourceNeeds>
  readonly notifiers: Registry<Notifier, NotifierNeeds>
  readonly stores: Registry<Store, any>
  readonly calendars: Registry<Calendar>
  readonly transforms: Registry<Transform>
  readonly detectors: Registry<Detector>
  readonly rules: Registry<Rule>
  readonly refiners: Registry<Refiner>
}
