/** What an account pays for: how much its API keys may ask. */
export const plans = ['free', 'pro', 'enterprise'] as const

export type Plan = (typeof plans)[number]
