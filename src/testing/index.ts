/** Laws and fakes for authors of parts: `tidewatch/testing`. Needs no test runner; a law is `{ name, check(subject) }` and throws on breach. */
export { detectorLaws } from './detector-laws.ts'
export { fakePrometheus } from './fake-prometheus.ts'
export { type FakeReceiver, openReceiver } from './fake-receiver.ts'
export { notifierLaws, remoteNotifierLaws } from './notifier-laws.ts'
export { refinerLaws } from './refiner-laws.ts'
export { ruleLaws } from './rule-laws.ts'
export { sourceLaws } from './source-laws.ts'
export { durableStoreLaws, storeLaws } from './store-laws.ts'
