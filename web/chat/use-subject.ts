import { useEffect, useState } from 'preact/hooks'
import type { Conversation } from './api.ts'
import { subjectOf } from './format.ts'
import type { ProductNames } from './product-names.ts'

/** What a conversation is about, in words; of a product its name, once that is worth a request. */
export const useSubject = (conversation: Conversation, products: ProductNames, isNear = true): string => {
  const { type, id } = conversation.subject
  const product = type === 'product' ? id : null
  const [name, setName] = useState(product === null ? null : products.known(product))
  useEffect(() => {
    if (product === null || !isNear) return
    let isOver = false
    void products.of(product).then((found) => !isOver && setName(found))
    return () => {
      isOver = true
    }
  }, [products, product, isNear])
  return subjectOf(conversation, name)
}
