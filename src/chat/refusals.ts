import { AppError, notFound } from '../shared/errors.ts'

export const noConversation = (): AppError => notFound('Conversation')

export const notJoined = (): AppError => new AppError('FORBIDDEN', 'Join the conversation first')
