import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { seedIfEmpty } from '../../dev/seed.ts'
import { popplerLacks, readPdf } from '../support/poppler.ts'
import { skipOrFail } from '../support/postgres.ts'
import { openReportWorld } from '../support/report-world.ts'

const day = new Date(Date.now() - 86_400_000).toISOString().slice(0, 10)

const hostile = [
  'Αθηναϊκό ύφασμα',
  'Льняная скатерть',
  'Łódź wełna “Ångström”',
  '漢字 タオル',
  '=HYPERLINK("x")',
  '\u202Eevil',
  '👨‍👩‍👧 set',
  `Endless ${'name '.repeat(30)}`,
]

const placed = `(created_at at time zone 'UTC')::date`

type World = Awaited<ReturnType<typeof openReportWorld>>

/** Plain queries, each of one number as text, that know nothing of how the report is made. */
const queries = {
  revenue: `select coalesce(sum(total), 0) from orders where ${placed} = $1 and status <> 'cancelled'`,
  orders: `select count(*) from orders where ${placed} = $1`,
  average: `select round(avg(total), 2) from orders where ${placed} = $1 and status <> 'cancelled'`,
  month: `select sum(total) from orders where ${placed} between $1::date - 29 and $1 and status <> 'cancelled'`,
  customers: `select count(*) from users where ${placed} = $1 and role = 'user'`,
  dead: `select count(*) from jobs where state = 'dead' and $1::date is not null`,
  all: `select sum(total) from orders where ${placed} = $1`,
  sales: `select count(*) from orders where ${placed} = $1 and status <> 'cancelled'`,
  low: `select count(*) from products where stock <= 10 and archived_at is null and $1::date is not null`,
}

const grouped = (number: string): string => number.replaceAll(/\B(?=(\d{3})+(?!\d))(?<!\.\d*)/g, ',')

const lay = async ({ client, url }: World): Promise<void> => {
  await seedIfEmpty(url)
  // A busy day: 60 orders of yesterday.
  await client.query(
    `with chosen as (select id from orders order by id limit 60)
      update orders set created_at = $1::date::timestamp at time zone 'UTC' + random() * interval '23 hours'
      from chosen where chosen.id = orders.id`,
    [day],
  )
  await client.query(
    `update users set created_at = $1::date::timestamp at time zone 'UTC' + interval '5 hours'
      where id in (select id from users where role = 'user' order by id limit 3)`,
    [day],
  )
  await client.query(
    `insert into jobs (id, type, state, payload, request_id, relay_at, created_at, finished_at)
      select gen_random_uuid(), case when n < 3 then 'mail.send' else 'report.build' end, 'dead', '{}', 'x', now(), now(), now()
      from generate_series(0, 6) as n`,
  )
  for (const [n, name] of hostile.entries()) {
    await client.query(
      `update products set name = $1, stock = 1 where id = (
        select product_id from order_items join orders on orders.id = order_id
        where ${placed} = $2 and status <> 'cancelled' group by 1
        order by sum(quantity * unit_price) desc offset $3 limit 1)`,
      [name, day, n],
    )
  }
}

const cases = () => {
  let world: World
  let pdf: Awaited<ReturnType<typeof readPdf>>
  let lines: string[]

  beforeAll(async () => {
    world = await openReportWorld()
    await lay(world)
    await world.build(day)
    pdf = await readPdf(world.file('.pdf'), world.folder)
    lines = pdf.pages.flatMap((page) =>
      page.split('\n').map((line) => line.trim().replaceAll(/ {2,}/g, ' | ')),
    )
  })
  afterAll(() => world.close())

  const ask = async (query: string): Promise<string> => {
    const { rows } = await world.client.query({ text: query, values: [day], rowMode: 'array' })
    return String(rows[0]?.[0])
  }

  const figure = async (name: keyof typeof queries): Promise<string> => grouped(await ask(queries[name]))

  it('has two to four pages of A4 that poppler reads and draws without a complaint', async () => {
    expect(pdf.complaints).toEqual([])
    expect(pdf.info).toMatch(/Page size:\s+595\.28 x 841\.89 pts \(A4\)/)
    expect(pdf.info).toMatch(new RegExp(`Pages:\\s+${pdf.pages.length}\n`))
    expect([2, 3, 4]).toContain(pdf.pages.length)
    const drawn = (await readdir(world.folder)).filter((file) => file.endsWith('.png'))
    expect(drawn).toHaveLength(pdf.pages.length)
    for (const file of drawn) expect((await stat(join(world.folder, file))).size).toBeGreaterThan(5_000)
    for (const [n, page] of pdf.pages.entries()) {
      expect(page).toContain(`Page ${n + 1} of ${pdf.pages.length}`)
    }
  })

  it('embeds subsets of its fonts', () => {
    const [, , ...fonts] = pdf.fonts.trim().split('\n')
    expect(fonts).toHaveLength(2)
    for (const font of fonts) expect(font).toMatch(/^SLVDGE\+NotoSans.*Identity-H\s+yes yes yes/)
    expect(world.file('.pdf').length).toBeLessThan(100_000)
  })

  it('has the figures that direct queries give', async () => {
    const values: string[] = []
    for (const name of ['revenue', 'orders', 'average', 'month', 'customers', 'dead'] as const) {
      values.push(await figure(name))
    }
    expect(lines).toContain(values.slice(0, 3).join(' | '))
    expect(lines).toContain(values.slice(3).join(' | '))
    expect(lines).toContain(`Revenue by day | ${await figure('month')} in 30 days`)
    expect(Number(values[1])).toBeGreaterThanOrEqual(60)
  })

  it('has orders and revenue of each status', async () => {
    const { rows } = await world.client.query({
      text: `select initcap(status), count(*), sum(total) from orders where ${placed} = $1 group by status`,
      ...{ values: [day], rowMode: 'array' },
    })
    expect(rows).toHaveLength(5)
    for (const [status, count, sum] of rows) {
      const line = lines.find((one) => one.startsWith(`${status} | `) && one.includes('%'))
      expect(line, status).toMatch(new RegExp(` \\| ${count} \\| ${grouped(sum).replaceAll('.', '\\.')}$`))
    }
    expect(lines).toContain(`All orders | ${await figure('orders')} | ${await figure('all')}`)
    expect(lines).toContain(`Without cancelled | ${await figure('sales')} | ${await figure('revenue')}`)
  })

  it('has the ten best products, best first', async () => {
    const { rows } = await world.client.query({
      text: `select sum(quantity), sum(quantity * order_items.unit_price)
        from order_items join orders on orders.id = order_id
        where ${placed.replace('created_at', 'orders.created_at')} = $1 and status <> 'cancelled'
        group by product_id order by 2 desc, 1 desc, product_id limit 10`,
      ...{ values: [day], rowMode: 'array' },
    })
    const wanted = rows.map(([units, revenue], n) => `${n + 1} … ${units} | ${grouped(revenue)}`)
    const shown = lines.flatMap((line) => {
      const [, rank, units, revenue] = /^(\d+) \| .* \| ([\d,]+) \| ([\d,]+\.\d\d)$/.exec(line) ?? []
      return rank === undefined ? [] : [`${rank} … ${units} | ${revenue}`]
    })
    expect(shown).toEqual(wanted)
  })

  it('shows names in Latin, Greek and Cyrillic, and a sign for what the fonts lack', () => {
    const text = lines.join('\n')
    for (const name of hostile.slice(0, 3)) expect(text).toContain(name.normalize('NFC'))
    expect(text).toContain('�� ���')
    expect(text).toContain('=HYPERLINK("x")')
    expect(text).toContain('�evil')
    expect(text).toContain('� set')
    expect(text).toMatch(/Endless name name .*…/)
    expect(text).not.toContain('\u202E')
  })

  it('has every product with low stock, and the dead jobs by type', async () => {
    expect(lines).toContain(`Low stock | ${await figure('low')} with 10 pieces or fewer`)
    const { rows } = await world.client.query(
      'select slug, stock from products where stock <= 10 and archived_at is null',
    )
    for (const { slug, stock } of rows) {
      const wanted = ` | ${stock === 0 ? 'sold out' : stock}`
      expect(
        lines.some((line) => line.endsWith(wanted) && line.includes(slug.slice(0, 20))),
        slug,
      ).toBe(true)
    }
    expect(lines.some((line) => /^mail\.send \| .* UTC \| 3$/.test(line))).toBe(true)
    expect(lines.some((line) => /^report\.build \| .* UTC \| 4$/.test(line))).toBe(true)
  })

  it('goes on over pages, each with the head of its table, and names a hundred products at most', async () => {
    await world.client.query('update products set stock = 2')
    await world.build(day)
    const long = await readPdf(world.file('.pdf'), world.folder)
    const { rows } = await world.client.query(
      'select count(*)::int as n from products where archived_at is null',
    )
    const text = long.pages.join('\n')
    expect(text).toContain(`and ${rows[0].n - 100} more`)
    const tables = long.pages.filter(
      (page) => /linen|cotton|wool|towel|-[0-9a-f]{4}/i.test(page) && /\b2\n/.test(page),
    )
    for (const page of tables) expect(page).toMatch(/Product\s+Slug\s+In stock/)
    expect(tables.length).toBeGreaterThanOrEqual(3)
  })

  it('is made of a day without anything', async () => {
    await world.build('1999-01-01')
    const { pages, complaints } = await readPdf(world.file('.pdf'), world.folder)
    expect(complaints).toEqual([])
    expect(pages.join('\n')).toMatch(/No revenue in these 30 days[^]*Nothing was sold in this period/)
  })
}

const lacks = popplerLacks()
if (lacks === undefined) describe('the PDF of a seeded day', cases)
else skipOrFail('the PDF of a seeded day', lacks)
