import { detect } from '../src/index.ts'

// A day of requests per minute with their daily tide, and an hour in which a third of them is missing.
const values = Array.from({ length: 3 * 1440 }, (_, minute) => {
  const tide = 500 + 200 * Math.sin((2 * Math.PI * minute) / 1440)
  const noise = 15 * Math.sin(minute * 12.9898) * Math.cos(minute * 78.233)
  return (tide + noise) * (minute >= 4000 && minute < 4060 ? 0.66 : 1)
})

for (const { from, to, sentence } of detect(values, { labels: { signal: 'Requests' } }))
  console.log(`rows ${from} to ${to - 1}: ${sentence}`)
