import { useRef, useState } from 'preact/hooks'

const hasFiles = ({ dataTransfer }: DragEvent): boolean => dataTransfer?.types.includes('Files') === true

/** Files that are dropped on an element; `isOver` while some are held above it. */
export const useDrop = (isOff: boolean, onFiles: (files: File[]) => void) => {
  const [isOver, setOver] = useState(false)
  /** Entering a child is told before leaving its parent. */
  const depth = useRef(0)

  const leave = () => {
    depth.current = 0
    setOver(false)
  }

  const handlers = {
    onDragEnter: (event: DragEvent) => {
      if (isOff || !hasFiles(event)) return
      depth.current += 1
      setOver(true)
    },
    onDragLeave: () => {
      depth.current -= 1
      if (depth.current <= 0) leave()
    },
    // Whatever is dropped beside the point must not replace the page.
    onDragOver: (event: DragEvent) => {
      if (hasFiles(event)) event.preventDefault()
    },
    onDrop: (event: DragEvent) => {
      if (!hasFiles(event)) return
      event.preventDefault()
      leave()
      if (!isOff) onFiles([...(event.dataTransfer?.files ?? [])])
    },
  }
  return { isOver, handlers }
}
