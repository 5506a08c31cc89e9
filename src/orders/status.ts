export const orderStatuses = ['pending', 'paid', 'shipped', 'delivered', 'cancelled'] as const

export type OrderStatus = (typeof orderStatuses)[number]

/** What an administrator may move an order along; cancelling has its own operation, because it restocks. */
const predecessors: Partial<Record<OrderStatus, OrderStatus>> = {
  paid: 'pending',
  shipped: 'paid',
  delivered: 'shipped',
}

/** The only status from which `to` may be reached, undefined when nothing leads there. */
export const predecessorOf = (to: OrderStatus): OrderStatus | undefined => predecessors[to]

export const cancellable: readonly OrderStatus[] = ['pending', 'paid']
