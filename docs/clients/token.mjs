#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The tastytokend authors
//
// A live TastyTrade token from tastytokend, with nothing but Node's own modules. Copy TokenSource into a program, and
// call token() before each request to TastyTrade.

import http from 'node:http'
import { setTimeout as pause } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'

/** There will be no token before somebody acts; `code` is the contract's, undefined where the daemon never answered. */
export class TokenError extends Error {
  constructor(status, { code, detail } = {}) {
    super(detail ?? `the daemon answered ${status}`)
    Object.assign(this, { name: 'TokenError', status, code })
  }
}

/** The tokens of one user. */
export class TokenSource {
  #etag
  #reply

  constructor(user, { socketPath = '/run/tastytokend/api.sock', patience = 60 } = {}) {
    this.path = `/v1/users/${encodeURIComponent(user)}/token`
    this.socketPath = socketPath
    this.patience = patience
  }

  async token() {
    const deadline = Date.now() + this.patience * 1000
    for (;;) {
      const { status, headers, body } = await this.#ask().catch((error) => this.#unanswered(error))
      if (status === 200) [this.#etag, this.#reply] = [headers.etag, body]
      if (status === 200 || status === 304) return this.#reply.access_token
      const delay = Math.max(Number(headers['retry-after'] ?? 1), 1) * 1000
      // 503, 504 and 429 pass by themselves; 403, 404 and 409 do not.
      if (![0, 429, 503, 504].includes(status) || Date.now() + delay > deadline) throw new TokenError(status, body)
      await pause(delay)
    }
  }

  /** A daemon that restarts, or is not there, is waited for too; what this user may not open is not. */
  #unanswered(error) {
    const path = this.socketPath
    if (['EACCES', 'EPERM'].includes(error.code)) {
      const who = `user id ${process.geteuid()}`
      throw new TokenError(0, { detail: `${who} may not open ${path}: its file mode or a folder's keeps it out` })
    }
    const waited = `no daemon answered at ${path} for ${this.patience} s`
    const detail = `${waited} (${error.code ?? error.message}); start it, or give its socket`
    return { status: 0, headers: {}, body: { detail } }
  }

  #ask() {
    const headers = this.#etag ? { 'If-None-Match': this.#etag } : {}
    const { socketPath, path } = this
    return new Promise((resolve, reject) => {
      // The daemon itself waits for 10 s at most.
      const request = http.get({ socketPath, path, headers, timeout: 15_000 }, async (response) => {
        try {
          let body = ''
          for await (const chunk of response.setEncoding('utf8')) body += chunk
          resolve({ status: response.statusCode, headers: response.headers, body: body ? JSON.parse(body) : {} })
        } catch (error) {
          reject(error)
        }
      })
      request.on('timeout', () => request.destroy(new Error('nothing came in time')))
      request.on('error', reject)
    })
  }
}

async function main([user, times = 1, ...rest]) {
  if (!user || rest.length > 0) {
    console.error('usage: token.mjs USER [TIMES]')
    return 64
  }
  const { SOCKET_PATH: socketPath, TOKEN_PATIENCE: patience = 60 } = process.env
  const source = new TokenSource(user, { socketPath, patience: Number(patience) })
  try {
    for (let n = 0; n < times; n++) console.log(await source.token())
    return 0
  } catch (error) {
    console.error(`${error.code ?? 'token.mjs'}: ${error.message}`)
    return 1
  }
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) process.exitCode = await main(process.argv.slice(2))
