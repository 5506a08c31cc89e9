import { useEffect, useState } from 'preact/hooks'
import type { Tray } from './tray.ts'

export const useTray = (tray: Tray): Pick<Tray, 'all' | 'tooMany'> => {
  const [shown, setShown] = useState({ all: tray.all, tooMany: tray.tooMany })
  useEffect(() => {
    const look = () => setShown({ all: tray.all, tooMany: tray.tooMany })
    look()
    return tray.watch(look)
  }, [tray])
  return shown
}
