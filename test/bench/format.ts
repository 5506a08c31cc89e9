import { median, type Ratio } from './statistics.ts'

const digits = (value: number): number => (Math.abs(value) < 10 ? 2 : Math.abs(value) < 100 ? 1 : 0)

export const show = (value: number): string => value.toFixed(digits(value))

export const showRatio = ({ value, low, high }: Ratio): string =>
  `**${value.toFixed(2)}** (${low.toFixed(2)} to ${high.toFixed(2)})`

export const showMedian = (values: readonly number[], unit: string): string =>
  `${show(median(values))} ${unit}`
