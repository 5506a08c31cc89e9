import { invalid } from '../shared/errors.ts'

export type Breaches = { isBreached: (password: string) => Promise<boolean> }

/** @throws VALIDATION_FAILED at `password` */
export const refuseBreached = async ({ isBreached }: Breaches, password: string): Promise<void> => {
  if (await isBreached(password)) {
    throw invalid({ field: 'password', message: 'is known from data breaches; choose another' })
  }
}
