#!/usr/bin/env ruby
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The tastytokend authors
# frozen_string_literal: true
#
# A live TastyTrade token from tastytokend, with nothing but Ruby's standard library. Copy TokenSource into a program, and
# call token before each request to TastyTrade: it costs a fraction of a millisecond.

require "json"
require "net/http"
require "socket"
require "uri"

# The tokens of one user. Not for several threads at once.
class TokenSource
  # There will be no token before somebody acts; code is the contract's, nil where the daemon never answered.
  class Refused < StandardError
    attr_reader :status, :code

    def initialize(status, problem)
      super(problem["detail"] || "the daemon answered #{status}")
      @status = status
      @code = problem["code"]
    end
  end

  # 503, 504 and 429 pass by themselves, and so does a daemon's restart (0); 403, 404 and 409 do not.
  PASSING = [0, 429, 503, 504].freeze

  def initialize(user, path: "/run/tastytokend/api.sock", patience: 60)
    @target = "/v1/users/#{URI.encode_www_form_component(user.to_s).gsub("+", "%20")}/token"
    @path = path
    @patience = patience
  end

  def token
    deadline = now + @patience
    loop do
      status, headers, body = ask
      @etag, @reply = headers["ETag"], body if status == 200
      return @reply.fetch("access_token") if [200, 304].include?(status)

      pause = [(headers["Retry-After"] || 1).to_i, 1].max
      raise Refused.new(status, body) if !PASSING.include?(status) || now + pause > deadline

      sleep pause
    end
  end

  private

  def ask
    request = Net::HTTP::Get.new(@target, "Host" => "localhost")
    request["If-None-Match"] = @etag if @etag
    response = exchange(request)
    [response.code.to_i, response, response.body.to_s.empty? ? {} : JSON.parse(response.body)]
  rescue Errno::EACCES, Errno::EPERM # which waiting does not mend
    raise Refused.new(0, { "detail" => closed })
  rescue SystemCallError, IOError, Timeout::Error => e
    [0, {}, { "detail" => away(e) }]
  end

  def closed
    "user id #{Process.euid} may not open #{@path}: its file mode or a folder's keeps it out"
  end

  def away(error)
    "no daemon answered at #{@path} for #{@patience} s (#{error.message}); start it, or give its socket"
  end

  # Net::HTTP has no way to a Unix socket, but its parts do not care what they read from.
  def exchange(request)
    socket = Net::BufferedIO.new(UNIXSocket.new(@path))
    socket.read_timeout = 15 # the daemon itself waits for 10 s at most
    request.exec(socket, "1.1", @target)
    response = Net::HTTPResponse.read_new(socket)
    response.reading_body(socket, request.response_body_permitted?) { response.body }
    response
  ensure
    socket&.close
  end

  def now
    Process.clock_gettime(Process::CLOCK_MONOTONIC)
  end
end

if $PROGRAM_NAME == __FILE__
  unless (1..2).cover?(ARGV.length) && !ARGV[0].empty?
    warn "usage: token.rb USER [TIMES]"
    exit 64
  end
  path = ENV.fetch("SOCKET_PATH", "/run/tastytokend/api.sock")
  source = TokenSource.new(ARGV[0], path: path, patience: Integer(ENV.fetch("TOKEN_PATIENCE", "60")))
  begin
    Integer(ARGV.fetch(1, "1")).times { puts source.token }
  rescue TokenSource::Refused => e
    abort "#{e.code || "token.rb"}: #{e.message}"
  end
end
