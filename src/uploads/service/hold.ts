import { describeError } from '../../shared/describe-error.ts'
import { AppError } from '../../shared/errors.ts'
import type { UploadRepository } from '../repository.ts'

/** Seconds for which a row is waited for; whoever receives puts that off three times as often. */
export const patience = 60

export const superseded = () =>
  new AppError('UPLOAD_STALLED', 'It was deleted, or another request has taken its place, meanwhile')

type Deps = {
  uploads: Pick<UploadRepository, 'hold'>
  log: { warn: (message: string, fields: Record<string, unknown>) => void }
}

/** Puts off the row's end while bytes come; `check` throws once the row is somebody else's, or gone. */
export const keepHold = ({ uploads, log }: Deps, id: string) => {
  let isLost = false
  const touched: (() => void)[] = []
  const renew = async (): Promise<void> => {
    for (const touch of touched) touch()
    try {
      isLost ||= !(await uploads.hold(id, patience))
    } catch (error) {
      log.warn('hold of an upload not renewed', { uploadId: id, error: describeError(error) })
    }
  }
  const timer = setInterval(() => void renew(), (patience * 1_000) / 3)
  return {
    check: () => {
      if (isLost) throw superseded()
    },
    also: (touch: () => void) => void touched.push(touch),
    end: () => clearInterval(timer),
  }
}
