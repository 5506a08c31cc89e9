// A process of its own for what the uploads are compared with: Express and multer's disk storage, as their READMEs show.
import { mkdirSync } from 'node:fs'
import express from 'express'
import multer from 'multer'

const [, , folder = ''] = process.argv
mkdirSync(folder, { recursive: true })
const upload = multer({
  storage: multer.diskStorage({ destination: folder }),
  limits: { fileSize: 52_428_800 },
})

const server = express()
  .post('/uploads', upload.single('file'), (request, response) => {
    response.status(201).json({ size: request.file?.size })
  })
  .listen(0, '127.0.0.1', () => {
    const address = server.address()
    process.send?.({ port: typeof address === 'object' ? address?.port : undefined })
  })
