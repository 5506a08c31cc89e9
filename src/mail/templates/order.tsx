import type { Order } from '../../orders/schema.ts'
import type { Name, OrderTemplate, RenderedLetter } from '../letter.ts'
import { day, greeting, lineTotal } from './format.ts'
import { Button, Layout, Paragraph, Rows } from './layout.tsx'
import { compose } from './compose.ts'

type Words = { title: string; news: string; preheader: string; total: string }

const pieces = ({ items }: Order): string => {
  const count = items.reduce((sum, { quantity }) => sum + quantity, 0)
  return count === 1 ? '1 piece' : `${count} pieces`
}

const words: Record<OrderTemplate, (order: Order) => Words> = {
  orderConfirmed: (order) => ({
    title: `Your order of ${day(order.createdAt)} is confirmed`,
    news: 'thank you for your order. We are getting it ready and will write again when it is on its way.',
    preheader: `${pieces(order)} for ${order.total}`,
    total: 'Total',
  }),
  orderShipped: (order) => ({
    title: `Your order of ${day(order.createdAt)} is on its way`,
    news: 'your order has left our house. This is what the parcel holds.',
    preheader: `${pieces(order)} on the way to you`,
    total: 'Total',
  }),
  orderCancelled: (order) => ({
    title: `Your order of ${day(order.createdAt)} is cancelled`,
    news: 'your order has been cancelled and nothing of it will be sent. This is what it held.',
    preheader: `${pieces(order)} that will not be sent`,
    total: 'Total before it was cancelled',
  }),
}

const footer = (order: Order): string => `Order ${order.id}. You get this mail because you placed it.`

type Props = { template: OrderTemplate; name: Name; order: Order; link: string }

/** The three mails of an order: the same list under other words. */
export const orderLetter = ({ template, name, order, link }: Props): RenderedLetter => {
  const { title, news, preheader, total } = words[template](order)
  const lines = order.items.map((item) => ({ ...item, sum: lineTotal(item.unitPrice, item.quantity) }))
  return compose({
    subject: title,
    html: (
      <Layout title={title} preheader={preheader} footer={footer(order)}>
        <Paragraph>
          {greeting(name)}, {news}
        </Paragraph>
        <Rows
          rows={lines.map((item) => [item.name, item.sum, `${item.quantity} × ${item.unitPrice}`])}
          total={[total, order.total]}
        />
        <Button href={link}>See your order</Button>
      </Layout>
    ),
    text: [
      `${greeting(name)}, ${news}`,
      lines.map((item) => `${item.quantity} × ${item.name}, ${item.unitPrice} each: ${item.sum}`).join('\n'),
      `${total}: ${order.total}`,
      `See your order: ${link}`,
      footer(order),
    ],
  })
}
