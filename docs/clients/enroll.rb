#!/usr/bin/env ruby
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The tastytokend authors
# frozen_string_literal: true
#
# Connects users' TastyTrade accounts through tastytokend, with nothing but Ruby's standard library. Copy Enrollment into a
# web application; docs/rails.md has the controller around it. It takes the right enroll.

require "json"
require "net/http"
require "socket"
require "uri"

# Sends people to TastyTrade, finishes when they are back, and forgets what was connected.
class Enrollment
  # It did not come about. code is the contract's, nil where the daemon never answered; retry_after is how many seconds
  # later the same request goes on, nil where it does not. undecided? is true where it may come about yet, or has: the
  # daemon goes on with it, or broke off.
  class Refused < StandardError
    attr_reader :status, :code, :retry_after

    def initialize(status, problem, retry_after = nil, undecided: problem["code"] == "overloaded")
      super(problem["detail"] || "the daemon answered #{status}")
      @status = status
      @code = problem["code"]
      @retry_after = retry_after
      @undecided = undecided
    end

    def undecided?
      @undecided
    end
  end

  # patience: for how many seconds a request is repeated that the daemon could not take up yet. answers_within: how long
  # an answer may take; more than the daemon itself waits, so that it is the one who says what came of it. That is twice
  # its refresh.timeout and 30 s: if somebody set that to more than the usual 30 s, this has to grow with it.
  def initialize(path: "/run/tastytokend/api.sock", patience: 15, answers_within: 100)
    @path = path
    @patience = patience
    @answers_within = answers_within
  end

  # Where to send the browser, and the state to be kept in the person's session: [address, state].
  def begin(user, client: nil)
    body = call("POST", "/v1/users/#{escape(user)}/authorizations", { "client" => client }.compact)
    body.values_at("authorization_url", "state")
  end

  # Connects the account with what came back, either code or error, and returns how it stands now. Compare the state with
  # the session's first.
  def finish(state, code: nil, error: nil)
    call("POST", "/v1/authorizations/#{escape(state)}", error ? { "error" => error } : { "code" => code })
  end

  # Empties the row's three columns. TastyTrade still knows the grant.
  def disconnect(user)
    call("DELETE", "/v1/users/#{escape(user)}/grant")
  end

  private

  def call(method, target, body = nil)
    deadline = now + @patience
    begin
      exchange(method, target, body)
    rescue Refused => e
      raise if e.retry_after.nil? || now + e.retry_after > deadline

      sleep e.retry_after
      retry
    end
  end

  # Net::HTTP has no way to a Unix socket, but its parts do not care what they read from.
  def exchange(method, target, body)
    request = Net::HTTPGenericRequest.new(method, !body.nil?, true, target, "Host" => "localhost")
    request.content_type, request.body = "application/json", JSON.generate(body) if body
    socket = Net::BufferedIO.new(connection)
    socket.read_timeout = @answers_within # a code is exchanged, and the grant tried, before the answer
    request.exec(socket, "1.1", target)
    response = Net::HTTPResponse.read_new(socket)
    response.reading_body(socket, true) { response.body }
    judge(response)
  rescue SystemCallError, IOError, Timeout::Error => e # which may have been heard: asked again it could be 410
    detail = "the daemon at #{@path} broke off (#{e.message}); see how the account stands"
    raise Refused.new(0, { "detail" => detail }, undecided: true)
  ensure
    socket&.close
  end

  def connection
    UNIXSocket.new(@path)
  rescue Errno::EACCES, Errno::EPERM
    raise Refused.new(0, { "detail" => "user id #{Process.euid} may not open #{@path}" })
  rescue SystemCallError => e # nothing was sent, so that it can be sent again
    raise Refused.new(0, { "detail" => "no daemon answered at #{@path} (#{e.message})" }, 1)
  end

  def judge(response)
    status = response.code.to_i
    body = response.body.to_s.empty? ? {} : JSON.parse(response.body)
    return body if (200..299).cover?(status)

    wait = response["Retry-After"] && [response["Retry-After"].to_i, 1].max
    raise Refused.new(status, body, wait)
  end

  def escape(text)
    URI.encode_www_form_component(text.to_s).gsub("+", "%20")
  end

  def now
    Process.clock_gettime(Process::CLOCK_MONOTONIC)
  end
end

# To try it: begin prints the address and the state, finish reads the address to which the browser was sent back from
# standard input, since a code has no place on a command line.
if $PROGRAM_NAME == __FILE__
  enrollment = Enrollment.new(path: ENV.fetch("SOCKET_PATH", "/run/tastytokend/api.sock"))
  begin
    case ARGV
    in ["begin", user] then puts enrollment.begin(user)
    in ["finish"]
      back = URI.decode_www_form(URI($stdin.read.strip).query.to_s).to_h
      puts enrollment.finish(back["state"], code: back["code"], error: back["error"]).fetch("status")
    in ["disconnect", user] then enrollment.disconnect(user)
    else
      warn "usage: enroll.rb begin USER | finish | disconnect USER"
      exit 64
    end
  rescue Enrollment::Refused => e
    abort "#{e.code || "enroll.rb"}: #{e.message}"
  end
end
