const texts: Record<string, string> = {
  paid: 'The order is paid',
  shipped: 'The order is on its way',
  delivered: 'The order was delivered',
  cancelled: 'The order was cancelled',
}

/** What a system message about an order says, for those who have no words of their own for it. */
export const statusText = (status: string): string => texts[status] ?? `The order is ${status} now`
