/** What the store alone costs: puts what comes, and deletes it. */
export default {
  async fetch({ method, url, body }, { FILES }) {
    const key = new URL(url).pathname.slice(1)
    if (method === 'DELETE') {
      await FILES.delete(key)
      return new Response(null, { status: 204 })
    }
    await FILES.put(key, body)
    return new Response(null, { status: 201 })
  },
} satisfies ExportedHandler<Pick<Env, 'FILES'>>
